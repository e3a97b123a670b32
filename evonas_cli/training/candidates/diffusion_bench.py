"""One candidate's diffusion model from genome to metrics and samples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.halting import NEVER, Halt
from evonas_cli.core.types import Candidate, Failure, Json, Result, Unit
from evonas_cli.data.dataset import Source
from evonas_cli.data.resident import Resident
from evonas_cli.data.shared import shared
from evonas_cli.data.splits import Splits
from evonas_cli.genomes.capabilities import Denoising
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.denoiser import Denoiser
from evonas_cli.network.samples import kept
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.candidates.attempt import Noted, attempt, fitted
from evonas_cli.training.candidates.environment import environment, ready
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.checkpoint import Checkpoint, checkpoint_of
from evonas_cli.training.device.errors import reading_data
from evonas_cli.training.device.setup import precision_of
from evonas_cli.training.diffusion.distances import Yardstick
from evonas_cli.training.diffusion.examples import Scale, held_out
from evonas_cli.training.diffusion.noise_prediction import NoisePrediction
from evonas_cli.training.diffusion.process import Process
from evonas_cli.training.exercise import Diverged
from evonas_cli.training.extent import epochs_of, over_cap, with_cost
from evonas_cli.training.loop import Member
from evonas_cli.training.reporter import Reporter
from evonas_cli.training.steps import check


@dataclass(frozen=True)
class _Loaded:
    """`low` and `high` are the ends of the training part's features, or channels, standardised."""

    data: Resident
    scale: Scale
    low: Tensor
    high: Tensor
    yardstick: Yardstick
    fingerprint: str


class DiffusionBench:
    """The data on its device, and the training of one denoiser after the other on it."""

    def __init__(
        self,
        equipment: Equipment[Denoising[Any], Source],
        samples: int,
        file: int | None = None,
        halt: Halt = NEVER,
    ) -> None:
        """`samples` as for the job; `file` is a descriptor through which processes on one machine share the prepared
        data (`data.shared`), `halt` that of the place."""
        self.equipment, self.count, self.file, self.halt, self._prepared = equipment, samples, file, halt, False

    def environment(self) -> dict[str, Json]:
        """Device, torch, threads, the precision, the task, and a digest of data and split.

        Raises UsageError, EnvironmentFailure.
        """
        data, own = self._loaded.data, self.equipment
        precision = precision_of(own.trainer.precision, data.device, len(data.task.inputs) == 3)
        task = self._loaded.scale.task
        return {**environment(data.device, own.threads, task, self._loaded.fingerprint), "precision": precision}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """A result for each candidate, in order; its payload has `samples` (`network.samples`).

        Failures: unbuildable, over_cap, diverged (a loss or a sample is not finite), oom (after a second try) and
        error, whose traceback goes to the candidate's folder. Raises EnvironmentFailure for disk and device errors,
        UsageError for wrong settings.
        """
        for candidate in unit.candidates:
            drawn: list[Tensor] = []
            result = attempt(candidate, context, partial(self._train, candidate, context, drawn))
            if result.status == "ok":
                result = replace(result, payload={"samples": self._recorded(drawn[-1])})
            yield result

    @cached_property
    def _loaded(self) -> _Loaded:
        own = self.equipment
        device = ready(own.device, own.deterministic, own.threads)
        with reading_data():
            splits = shared(self.file, self._prepare)
        scale = Scale.of(splits)
        data = Resident(splits, device, own.dataset.memory)
        check(own.trainer, data, self._prepared, own.tuned)
        held = scale.standardised(held_out(splits, own.seed))
        try:
            yardstick = Yardstick(torch.tensor(held, dtype=torch.float64).flatten(1).to(device))
        except ValueError as error:
            raise UsageError(f"job=diffusion: {error}; it needs other data") from error
        low, high = (torch.tensor(ends, dtype=torch.float32, device=device) for ends in scale.ends)
        return _Loaded(data, scale, low, high, yardstick, splits.fingerprint)

    def _prepare(self) -> Splits:
        self._prepared = True
        return self.equipment.dataset.prepare(self.equipment.seed)

    def _train(
        self, candidate: Candidate[Any], context: Context, drawn: list[Tensor], labels: dict[str, str], curves: Noted
    ) -> Mapping[str, float] | Failure:
        """The metrics, or why the denoiser is not trained; `drawn` gets its samples. Raises Diverged, Lost."""
        trainer, seed = self.equipment.trainer, self.equipment.seed
        inputs = self._loaded.data.task.inputs
        denoiser = self.equipment.space.decode_denoiser(candidate.proposal.genome, inputs)
        labels["network"] = canonical_hash(denoiser.plan)
        failure = over_cap(denoiser.plan, trainer)
        if failure is not None:
            return failure
        checkpoint = checkpoint_of(candidate, trainer, seed, context, {"plan": json.dumps(denoiser.plan.to_json())})
        exercises: list[NoisePrediction] = []
        outcome = self._fit(candidate, denoiser, checkpoint, context, exercises, curves)
        labels.update(checkpoint.labels)
        exercise = exercises[-1]
        last = exercise.drawn if trainer.keep == "last" else exercise.samples()
        assert last is not None, "a training ends with a validation"
        drawn.append(last)
        metrics = with_cost(outcome, denoiser.plan)
        return {**metrics, "sample_multiply_adds": denoiser.sample_multiply_adds}

    def _fit(
        self,
        candidate: Candidate[Any],
        denoiser: Denoiser,
        checkpoint: Checkpoint,
        context: Context,
        exercises: list[NoisePrediction],
        curves: Noted,
    ) -> dict[str, float]:
        """What the training measured; the exercise is added to `exercises`. Raises Diverged, Lost."""
        loaded, own = self._loaded, self.equipment

        def make(reporter: Reporter) -> NoisePrediction:
            network = Network(denoiser.plan, torch.Generator().manual_seed(candidate.seed))
            process = Process(denoiser, loaded.data.task.inputs, loaded.low, loaded.high)
            seeds = own.seed, candidate.seed, self.count
            exercise = NoisePrediction(
                Population([network]), process, own.trainer, loaded.data, loaded.yardstick, *seeds, reporter, self.halt
            )
            exercises.append(exercise)
            return exercise

        member = Member(own.trainer, epochs_of(own.trainer, candidate), checkpoint)
        [outcome] = fitted(make, [member], Reporter([candidate.id], context.report), self.halt)
        curves.update(member.curves)
        if isinstance(outcome, Diverged):
            raise outcome
        return outcome

    def _recorded(self, drawn: Tensor) -> Json:
        """The first samples as the journal keeps them."""
        scale = self._loaded.scale
        first = drawn[: kept(scale.task.inputs)].double().cpu().numpy()
        return scale.samples(scale.restored(first)).to_json()
