"""Where supernets are trained and scored: from orders to results, with the data on their device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, partial
from math import isfinite
from time import perf_counter
from typing import Any

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import WEIGHTS, Context
from evonas_cli.core.halting import NEVER, Halt
from evonas_cli.core.types import Candidate, Failure, Heir, Json, Result, Unit
from evonas_cli.data.dataset import Source as Data
from evonas_cli.data.resident import Resident
from evonas_cli.data.shared import shared
from evonas_cli.genomes.capabilities import Relaxable
from evonas_cli.genomes.supernet import Scoring, Training, parse
from evonas_cli.nn.supernet.network import Supernet
from evonas_cli.training.candidates.attempt import Noted, attempt
from evonas_cli.training.candidates.environment import environment, ready
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.checkpoint import Lost, Source
from evonas_cli.training.device.errors import reading_data
from evonas_cli.training.state import Owner, State, checksum, write
from evonas_cli.training.steps import criterion_of
from evonas_cli.training.supernet.held import Held, build, load
from evonas_cli.training.supernet.scoring import score


class SupernetBench:
    """The data on its device, and the supernet that was trained or loaded last."""

    def __init__(self, equipment: Equipment[Relaxable[Any], Data], file: int | None = None, halt: Halt = NEVER) -> None:
        """`file` is a descriptor through which processes on one machine share the prepared data (`data.shared`)."""
        self.equipment, self.file, self.halt = equipment, file, halt
        self._held: tuple[tuple[int, int], Held] | None = None

    def environment(self) -> dict[str, Json]:
        """Device, torch, threads, the task, and a digest of data and split.

        Raises UsageError for data without a validation part, EnvironmentFailure for data that cannot be read.
        """
        data, fingerprint = self._loaded
        return environment(data.device, self.equipment.threads, data.task, fingerprint)

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """A result for each candidate. Failures: diverged, error; lost for an heir of a supernet that is not there.

        Raises UsageError for options that are no order, and for a supernet that does not fit into memory.
        """
        for candidate in unit.candidates:
            told: dict[str, Json] = {}
            result = attempt(candidate, context, partial(self._measure, candidate, context, told))
            if result.error is not None:
                self._held = None
                if result.error.kind == "oom":
                    raise UsageError(
                        f"the supernet does not fit into the memory of the device ({result.error.text}); lower "
                        "space.channels, the number of cells or strategy.batch_size"
                    )
            yield replace(result, payload=told or None)

    def _measure(
        self, candidate: Candidate[Any], context: Context, told: dict[str, Json], labels: dict[str, str], _: Noted
    ) -> dict[str, float] | Failure:
        order, began = parse(candidate.proposal.options), perf_counter()
        if isinstance(order, Training):
            measured = self._train(candidate, order, context, told, labels)
        else:
            measured = self._score(candidate, order, context, told)
        if isinstance(measured, Failure):
            return measured
        return {**measured, "train_seconds": perf_counter() - began}

    def _train(
        self,
        candidate: Candidate[Any],
        order: Training,
        context: Context,
        told: dict[str, Json],
        labels: dict[str, str],
    ) -> dict[str, float] | Failure:
        held = self._to_go_on(candidate, order, context)
        self._held = None  # until the epoch is over the supernet is neither what it was nor what it will be
        loss, steps, cost = held.train(order, self.halt)
        if not isfinite(loss):
            return Failure("diverged", f"the supernet's training loss is {loss} in epoch {order.epoch + 1}")
        told |= {"steps": steps, **held.rule.told(held.epochs)}
        state = held.state(Owner(self.equipment.seed, candidate.id, candidate.seed), loss)
        write(self._folder(context, candidate.id) / WEIGHTS, state)
        labels["state"] = checksum(state)
        self._held = (candidate.id, candidate.seed), held
        return {"supernet_loss": loss, "epochs": float(held.epochs), "cost": cost}

    def _score(
        self, candidate: Candidate[Any], order: Scoring, context: Context, told: dict[str, Json]
    ) -> dict[str, float] | Failure:
        network, epochs = self._to_score(candidate, context)
        data, own = self._loaded[0], self.equipment
        criterion = criterion_of(data, own.trainer)
        measured = score(network, data, criterion, order, own.seed, own.trainer.eval_batch_size, self.halt)
        losses = [found.get("loss") for found in measured]
        told["losses"] = losses
        if all("error" in found for found in measured):
            told["errors"] = [found["error"] for found in measured]
        finite = [loss for loss in losses if loss is not None]
        if not any(measured) and order.max_multiply_adds is not None:
            least = min(network.superplan.multiply_adds(path) for path in order.paths)
            raise UsageError(
                f"none of {len(order.paths)} paths has {order.max_multiply_adds:,} multiply-adds or fewer, the least "
                f"has {least:,}; raise strategy.max_multiply_adds"
            )
        if not finite:
            return Failure("diverged", "no path has a validation loss that is a finite number")
        passes = data.n_valid + min(data.n_train, order.examples or data.n_train)
        scored = [path for path, found in zip(order.paths, measured, strict=True) if found]
        adds = sum(network.superplan.multiply_adds(path) for path in scored)
        cost = adds * (passes if order.first_batch is None else order.batch_size) / 1e9
        return {"supernet_loss": sum(finite) / len(finite), "epochs": float(epochs), "cost": cost}

    def _to_go_on(self, candidate: Candidate[Any], order: Training, context: Context) -> Held:
        """The supernet that an epoch trains: a new one, or that of the candidate that it continues."""
        if self._held is not None and self._held[0] == self._source_of(candidate):
            held = self._held[1]
            if (held.order.rule, held.order.weights, held.order.settings) == (
                order.rule,
                order.weights,
                order.settings,
            ):
                return held
        data, trainer = self._loaded[0], self.equipment.trainer
        own, criterion = self.equipment, criterion_of(data, trainer)
        fresh = Held(own.space, data, criterion, trainer, order, candidate.seed, own.seed)
        if candidate.proposal.continues is not None:
            state = self._state(candidate, context)
            try:
                fresh.load(state)
            except ValueError as error:
                raise Lost(candidate.id, str(error)) from error
        if fresh.epochs != order.epoch:
            raise UsageError(f"candidate {candidate.id} is epoch {order.epoch} of a supernet of {fresh.epochs} epochs")
        return fresh

    def _to_score(self, candidate: Candidate[Any], context: Context) -> tuple[Supernet, int]:
        """The supernet that a candidate continues, and its epochs."""
        if candidate.proposal.continues is None:
            raise UsageError(f"candidate {candidate.id} scores paths and continues no supernet")
        if self._held is not None and self._held[0] == self._source_of(candidate):
            return self._held[1].weights.network, self._held[1].epochs
        data, state = self._loaded[0], self._state(candidate, context)
        network = build(self.equipment.space.superplan(data.task), data.device, candidate.seed)
        try:
            load(network, state)
        except ValueError as error:
            raise Lost(candidate.id, str(error)) from error
        return network, state["progress"].epoch

    def _source_of(self, candidate: Candidate[Any]) -> tuple[int | None, int | None]:
        """Id and seed of the candidate that is continued; None where the run has not recorded the seed."""
        return candidate.proposal.continues, candidate.origin.seed if isinstance(candidate, Heir) else None

    def _state(self, candidate: Candidate[Any], context: Context) -> State:
        """The file of the candidate that is continued. Raises Lost."""
        source = candidate.proposal.continues
        assert source is not None
        origin = candidate.origin if isinstance(candidate, Heir) else None
        try:
            return Source(
                folder=self._folder(context, source), run_seed=self.equipment.seed, id=source, origin=origin
            ).read()
        except ValueError as error:
            raise Lost(candidate.id, str(error)) from error

    def _folder(self, context: Context, id: int) -> Any:
        folder = context.folder(id)
        if folder is None:
            raise EnvironmentFailure("a supernet is kept in a file, but this run keeps none; give it a folder")
        return folder

    @cached_property
    def _loaded(self) -> tuple[Resident, str]:
        own = self.equipment
        device = ready(own.device, own.deterministic, own.threads)
        with reading_data():
            prepare = partial(own.dataset.prepare, own.seed)
            splits = shared(self.file, prepare)
            data = Resident(splits, device, own.dataset.memory)
        if not data.n_valid:
            raise UsageError("the job supernet scores paths on the validation part, which the data has not")
        return data, splits.fingerprint
