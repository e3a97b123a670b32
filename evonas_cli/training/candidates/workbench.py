"""The training of candidates from genomes to metrics: build, cap, fit side by side; what each kind of error means."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from time import perf_counter
from typing import Any

import torch

from evonas_cli.core.errors import EnvironmentFailure, EvonasError, UsageError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.halting import NEVER, Halt, Halted
from evonas_cli.core.types import Candidate, Failure, Json, Result, Unit
from evonas_cli.data.dataset import Source
from evonas_cli.data.resident import Resident
from evonas_cli.data.shared import shared
from evonas_cli.data.splits import Splits, joined
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.plan import Plan, PlanError
from evonas_cli.network.signature import Signature
from evonas_cli.training.candidates.attempt import Noted, attempt, free_memory
from evonas_cli.training.candidates.built import MICRO, Built, signature_of
from evonas_cli.training.candidates.cross_validation import Folds, over_folds
from evonas_cli.training.candidates.environment import environment, ready
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.candidates.fitting import Conditions, program
from evonas_cli.training.checkpoint import Lost
from evonas_cli.training.device.errors import is_device_error, is_out_of_memory, one_line, reading_data
from evonas_cli.training.device.free_memory import Room
from evonas_cli.training.device.setup import has_bf16, precision_of
from evonas_cli.training.device.turns import abreast
from evonas_cli.training.exercise import Diverged, Outcome, Pause, no_pause
from evonas_cli.training.extent import over_cap
from evonas_cli.training.measuring.bench import Instruments
from evonas_cli.training.measuring.plan import Measuring
from evonas_cli.training.steps import check, gene_fault
from evonas_cli.training.tuning.probe import WIDTHS, probe

log = logging.getLogger(__name__)


class Workbench:
    """The data on its device, and the training of candidates on it."""

    def __init__(
        self,
        equipment: Equipment[Buildable[Any], Source],
        file: int | None = None,
        test: bool = False,
        full: bool = False,
        measuring: Measuring | None = None,
        halt: Halt = NEVER,
        folds: int = 1,
    ) -> None:
        """`file` is a descriptor through which processes on one machine share the prepared data (`data.shared`). With
        `test` trained candidates are measured on the test part, too; with `full` the validation part is trained on.
        `measuring` says what is measured of networks, `halt` is that of the place. With several `folds` candidates are
        trained once for each of them."""
        self.file, self.test, self.full, self._prepared = file, test, full, False
        self.equipment, self.measuring, self.halt, self.folds = equipment, measuring, halt, folds
        self._folded: Folds | None = None

    def environment(self) -> dict[str, Json]:
        """Device, torch, threads, the precision, the task, a digest of data and split, and how networks are measured.

        Raises UsageError, EnvironmentFailure.
        """
        data, fingerprint, _ = self._loaded
        more = {} if self._instruments is None else self._instruments.measuring.environment()
        images = len(data.task.inputs) == 3
        precision = precision_of(self.equipment.trainer.precision, data.device, images)
        found = environment(data.device, self.equipment.threads, data.task, fingerprint)
        return {**found, "precision": precision, **more}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """A result for each candidate.

        Failures: unbuildable (a setting out of range is one, too), over_cap, diverged, oom (after the last try) and
        error, whose traceback goes to the candidate's folder. Raises EnvironmentFailure for disk and device errors,
        UsageError for wrong settings.
        """
        if unit.width > 1:
            yield from self._together(unit, context)
        elif len(unit.candidates) > 1 and self._loaded[0].device.type == "cuda":
            yield from self._abreast(unit.candidates, context)
        else:
            for candidate in unit.candidates:
                yield self._attempt(Unit((candidate,)), context)

    def _abreast(self, candidates: Sequence[Candidate[Any]], context: Context) -> Iterator[Result]:
        """Results of candidates that share the device at the same time, in order.

        As many candidates are trained concurrently as there is memory for. A candidate that runs out of memory beside
        others is trained again alone. Raises Halted after the results of those that had ended before.
        """
        device = self._loaded[0].device
        found: dict[int, Result] = {}

        def task(candidate: Candidate[Any], pause: Pause) -> None:
            if device.type == "cuda":
                torch.cuda.set_device(device)
            unit = Unit((candidate,))
            result = attempt(candidate, context, partial(self._alone, unit, context, pause))
            if result.error is None or result.error.kind != "oom":
                found[candidate.id] = result

        try:
            abreast([partial(task, candidate) for candidate in candidates], Room(device))
        except Halted:
            yield from found.values()
            raise
        for candidate in candidates:
            yield found.get(candidate.id) or self._attempt(Unit((candidate,)), context)

    def _together(self, unit: Unit[Any], context: Context) -> list[Result]:
        """The results of candidates of one structure, trained as one program.

        Where memory does not suffice, the program is halved, as often as it takes. After another failure that may be a
        candidate's fault, each half of the candidates is trained apart, until the program that fails has one candidate.
        That candidate is tried once more in a program of one place, since the width may be what fails. A candidate
        whose parent's state is lost gets a result of its own, and the other candidates are trained without it. Raises
        EnvironmentFailure for disk and device errors.
        """
        started = perf_counter()
        built = [self._try_to_build(candidate) for candidate in unit.candidates]
        fitted = [found for found in built if found is not None]
        able = unit.among({found.candidate.id for found in fitted})
        unable = unit.among({c.id for c, found in zip(unit.candidates, built, strict=True) if found is None})
        results = [self._attempt(unable.among((candidate.id,)), context) for candidate in unable.candidates]
        heir = None
        try:
            outcomes = self._fit(fitted, able, context) if fitted else []
        except Lost as error:
            heir = error.heir
        except EvonasError:
            raise
        except Exception as error:
            if isinstance(error, OSError) or is_device_error(error):
                ids = ", ".join(str(candidate.id) for candidate in able.candidates)
                raise EnvironmentFailure(f"candidates {ids} stopped: {one_line(error)}") from error
            memory, text = is_out_of_memory(error), one_line(error)
        else:
            seconds = (perf_counter() - started) / len(unit.candidates)
            return results + [found.result(outcome, seconds) for found, outcome in zip(fitted, outcomes, strict=True)]
        if heir is not None:
            rest = able.among({candidate.id for candidate in able.candidates if candidate.id != heir})
            results.append(self._attempt(able.among({heir}), context))
            return results + (self._together(rest, context) if rest.candidates else [])
        free_memory()
        return results + self._divided(able, context, memory, text)

    def _try_to_build(self, candidate: Candidate[Any]) -> Built | None:
        """None for a candidate that cannot be trained, of which `_attempt` says why."""
        try:
            built = self._build(candidate, {})
        except Exception:  # `_attempt` builds the candidate again and records the error
            return None
        return None if isinstance(built, Failure) else built

    def _divided(self, unit: Unit[Any], context: Context, memory: bool, text: str) -> list[Result]:
        """The results of a unit whose training failed, for lack of `memory` or for what the text says.

        The error itself is no argument, since its traceback would keep all that the training had in memory.
        """
        if memory and unit.width > 1:
            log.warning("%d networks side by side need too much memory; halving their number", unit.width)
            parts = unit.narrowed()
        elif len(unit.candidates) > 1:
            log.warning("%d candidates failed together, dividing them: %s", len(unit.candidates), text)
            parts = unit.bisected()
        else:
            id, width = unit.candidates[0].id, unit.width
            if width > 1:
                log.warning("candidate %d failed in a program of %d places, trying it in its own: %s", id, width, text)
            return [self._attempt(Unit(unit.candidates), context)]
        return [result for part in parts for result in self._together(part, context)]

    def _attempt(self, unit: Unit[Any], context: Context) -> Result:
        """The result of a candidate that has the device to itself, if need be of a training in micro-batches."""
        whole, parted = [partial(self._alone, unit, context, no_pause, parts=parts) for parts in (1, MICRO)]
        return attempt(unit.candidates[0], context, whole, parted)

    def probe(self, genomes: Sequence[Any], seconds: float) -> list[dict[str, Json]]:
        """Ways to train the genomes' networks, the fastest first: overrides, speed, and whether losses are fp32's.

        Stacks are tried where the genomes have networks of one structure. Raises UsageError for a genome without one.
        """
        data, plans = self._loaded[0], self._plans(genomes)
        one = len({plan.nodes for plan in plans}) == 1 and plans[0].unstackable is None
        trials = probe(
            plans[:1] if one else plans,
            self.equipment.trainer,
            data,
            WIDTHS[data.device.type] if one and len(genomes) > 1 else (1,),
            has_bf16(data.device),
            seconds,
        )
        return [trial.to_json(several=one and len(genomes) > 1) for trial in trials]

    def _plans(self, genomes: Sequence[Any]) -> list[Plan]:
        try:
            return [self.equipment.space.decode(genome, self._loaded[0].task).plan for genome in genomes]
        except PlanError as error:
            raise UsageError(f"a network of the space does not fit the data: {one_line(error)}") from error
        except EvonasError:
            raise
        except Exception as error:
            text = f"{type(error).__name__}: {one_line(error)}"
            raise UsageError(f"a network of the space cannot be made: {text}") from error

    @cached_property
    def _instruments(self) -> Instruments | None:
        """Raises UsageError where the device cannot measure what is asked for."""
        return None if self.measuring is None else Instruments(self.measuring, self._loaded[0])

    def _prepare(self) -> Splits:
        self._prepared = True
        return self.equipment.dataset.prepare(self.equipment.seed)

    @cached_property
    def _loaded(self) -> tuple[Resident, str, Signature]:
        """The data on the device, its fingerprint, and what it means to networks.

        Raises UsageError for settings that do not go with the data.
        """
        own = self.equipment
        device = ready(own.device, own.deterministic, own.threads)
        with reading_data():
            splits = shared(self.file, self._prepare)
            splits = joined(splits) if self.full else splits
            data = Resident(splits, device, own.dataset.memory)
            if self.folds > 1:
                self._folded = Folds(splits, self.folds, own.seed, device, own.dataset.memory, own.dataset.name)
            if self.test:
                (self._folded or data).hold_test(*own.dataset.test(own.seed))
        check(own.trainer, data if self._folded is None else self._folded.data(0), self._prepared, own.tuned)
        return data, splits.fingerprint, signature_of(splits)

    def _alone(
        self, unit: Unit[Any], context: Context, pause: Pause, labels: dict[str, str], curves: Noted, parts: int = 1
    ) -> dict[str, float] | Failure:
        built = self._build(unit.candidates[0], labels)
        if isinstance(built, Failure) or isinstance(built := built.divided(parts), Failure):
            return built
        outcome = self._fit([built], unit, context, pause)[0]
        curves.update(built.curves)
        if isinstance(outcome, Diverged):
            raise outcome
        return built.metrics(outcome)

    def _build(self, candidate: Candidate[Any], labels: dict[str, str]) -> Built | Failure:
        phenotype = self.equipment.space.decode(candidate.proposal.genome, self._loaded[0].task)
        plan = phenotype.plan
        labels["network"] = canonical_hash(plan)
        try:
            trainer = self.equipment.trainer.override(phenotype.hyper)
        except UsageError as error:
            return Failure("unbuildable", one_line(error))
        if (reason := gene_fault(trainer, self._loaded[0].task)) is not None:
            return Failure("unbuildable", reason)
        return over_cap(plan, trainer) or self._unlisted(candidate) or Built(candidate, plan, trainer, labels)

    def _unlisted(self, candidate: Candidate[Any]) -> Failure | None:
        """The failure of a genome that the table of latencies lacks."""
        table = None if self.measuring is None else self.measuring.latencies
        space: Any = self.equipment.space
        if table is None or table.of(candidate.proposal.genome, space) is not None:
            return None
        return Failure("missing_metric", table.lack)

    def _measured(self, built: Built, outcome: Outcome) -> Outcome:
        """The outcome of a training with what is measured of its network besides."""
        if self._instruments is None or isinstance(outcome, Diverged):
            return outcome
        found = self._instruments.measured(built.plan, built.trainer, built.candidate.seed)
        table = self._instruments.measuring.latencies
        if table is not None and "latency_ms" in self._instruments.measuring.names:
            space: Any = self.equipment.space
            latency = table.of(built.candidate.proposal.genome, space)
            assert latency is not None, "a genome that the table lacks is not built"
            found["latency_ms"] = latency
        return {**outcome, **found}

    def _fit(self, built: Sequence[Built], unit: Unit[Any], context: Context, pause: Pause = no_pause) -> list[Outcome]:
        """An outcome for each."""
        data, _, signature = self._loaded
        train = partial(program, pause, Conditions(signature, self.equipment.seed, self.halt))
        if self._folded is None:
            outcomes, _ = train(built, unit, context, data)
        else:
            outcomes = over_folds(built, unit, context, self._folded, train)
        return [self._measured(found, outcome) for found, outcome in zip(built, outcomes, strict=True)]
