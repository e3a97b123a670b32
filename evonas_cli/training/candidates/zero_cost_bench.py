"""Scores of candidates' networks before any training, on one batch of training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from math import isfinite, prod
from typing import Any

import torch
from torch import Tensor, nn

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Candidate, Failure, Json, Result, Unit
from evonas_cli.data.dataset import Source
from evonas_cli.data.resident import Resident
from evonas_cli.data.shared import shared
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.plan import Plan
from evonas_cli.nn.build import Network
from evonas_cli.training.candidates.attempt import Noted, attempt
from evonas_cli.training.candidates.environment import environment, ready
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.device.errors import reading_data
from evonas_cli.training.extent import over_cap
from evonas_cli.training.steps import criterion_of
from evonas_cli.training.zero_cost.scores import OF_NUMBERS, Subject, score_of


class ZeroCostBench:
    """The batch on its device, and networks scored on it.

    The batch is the first of a training's first epoch, not augmented: it follows from the run's seed, and all
    candidates share it. A network's initial weights follow from the candidate's seed, as in a training.
    """

    def __init__(
        self, equipment: Equipment[Buildable[Any], Source], score: str, batch: int, file: int | None = None
    ) -> None:
        """`batch` is the number of examples; `file` as for `Workbench`."""
        self.equipment, self.score, self.batch, self._file = equipment, score, batch, file

    def environment(self) -> dict[str, Json]:
        """As that of a training. Raises UsageError for data that the score cannot be computed on."""
        data, fingerprint = self._loaded
        _ = self._batch
        return environment(data.device, self.equipment.threads, data.task, fingerprint)

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """A score for each candidate. Failures are those of `attempt`, over_cap, and not_finite for a network that has
        no such score."""
        for candidate in unit.candidates:
            yield attempt(candidate, context, partial(self._scored, candidate))

    def _scored(
        self, candidate: Candidate[Any], labels: dict[str, str], curves: Noted
    ) -> Mapping[str, float] | Failure:
        plan = self.equipment.space.decode(candidate.proposal.genome, self._loaded[0].task).plan
        labels["network"] = canonical_hash(plan)
        too_large = over_cap(plan, self.equipment.trainer)
        if too_large is not None:
            return too_large
        score = score_of(self.score)(self.subject(plan, candidate.seed))
        if not isfinite(score):
            return Failure("not_finite", f"the network has no {self.score}, which comes out as {score}")
        return {"score": score, "parameters": plan.parameters, "multiply_adds": plan.multiply_adds, "depth": plan.depth}

    def subject(self, plan: Plan, seed: int) -> Subject:
        """The plan's network with initial weights from the seed, and the batch."""
        data, trainer = self._loaded[0], self.equipment.trainer
        inputs, targets = self._batch
        network = Network(plan, torch.Generator().manual_seed(seed)).to(data.device).eval()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.train()
        criterion = criterion_of(data, trainer)

        def loss(outputs: Tensor) -> Tensor:
            return criterion.losses(outputs[None], targets, trainer.label_smoothing).mean()

        return Subject(network, inputs, loss)

    @cached_property
    def _batch(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets. Raises UsageError for too few examples, for token ids where numbers are needed, and for
        inputs of too few numbers, between whose gradients correlations are singular."""
        data = self._loaded[0]
        if data.n_train < self.batch:
            raise UsageError(f"job.batch is {self.batch}, and there are {data.n_train} training examples; lower it")
        if data.task.vocabulary and self.score in OF_NUMBERS:
            raise UsageError(f"job.score={self.score} needs inputs that are numbers, and this data has token ids; use "
                             "grad_norm, naswot, parameters or multiply_adds")  # fmt: skip
        numbers = prod(data.task.inputs)
        if self.score == "jacob_cov" and numbers <= self.batch:
            raise UsageError(f"job.score=jacob_cov needs fewer examples than numbers in an input; job.batch is "
                             f"{self.batch}, and an input has {numbers} numbers")  # fmt: skip
        return data.batch(data.epoch_order(self.equipment.seed, 0)[: self.batch])

    @cached_property
    def _loaded(self) -> tuple[Resident, str]:
        """The data on its device and its fingerprint."""
        own = self.equipment
        device = ready(own.device, own.deterministic, own.threads)
        prepare = partial(own.dataset.prepare, own.seed)
        with reading_data():
            splits = shared(self._file, prepare)
            return Resident(splits, device, own.dataset.memory), splits.fingerprint
