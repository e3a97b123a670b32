"""One candidate's language model from genome to metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch

from evonas_cli.core.evaluating import Context
from evonas_cli.core.halting import NEVER, Halt
from evonas_cli.core.types import Candidate, Failure, Json, Result, Unit
from evonas_cli.data.sequences import SequenceDataset
from evonas_cli.genomes.capabilities import Recurrent
from evonas_cli.network.language import LanguagePlan
from evonas_cli.network.task import Task
from evonas_cli.nn.recurrent import LanguageModel
from evonas_cli.training.backpropagation import ThroughTime
from evonas_cli.training.batches.windows import Reading
from evonas_cli.training.candidates.attempt import Noted, attempt, fitted
from evonas_cli.training.candidates.environment import environment, ready
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.checkpoint import checkpoint_of
from evonas_cli.training.device.errors import reading_data
from evonas_cli.training.exercise import Diverged
from evonas_cli.training.extent import epochs_of, over_cap, with_cost
from evonas_cli.training.loop import Member
from evonas_cli.training.reporter import Reporter


@dataclass(frozen=True)
class _Loaded:
    train: Reading
    valid: Reading
    task: Task
    fingerprint: str


class LanguageBench:
    """The corpus on its device, and the training of one candidate after the other on it."""

    def __init__(
        self,
        equipment: Equipment[Recurrent[Any], SequenceDataset],
        hidden: int,
        unroll: int,
        dropout: float,
        layers: int = 1,
        halt: Halt = NEVER,
    ) -> None:
        """`hidden`, `unroll`, `dropout` and `layers` as for the job, `halt` as for the place."""
        self.equipment, self.halt = equipment, halt
        self.hidden, self.unroll, self.dropout, self.layers = hidden, unroll, dropout, layers

    def environment(self) -> dict[str, Json]:
        """Device, torch, threads, the task, and a digest of the data. Raises UsageError, EnvironmentFailure."""
        loaded = self._loaded
        return environment(loaded.train.device, self.equipment.threads, loaded.task, loaded.fingerprint)

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """A result for each candidate, in order.

        Failures: over_cap, diverged (a loss is not finite, or the perplexity too large to be a number), oom (after a
        second try) and error, whose traceback goes to the candidate's folder. Raises EnvironmentFailure for disk and
        device errors, UsageError for wrong settings.
        """
        for candidate in unit.candidates:
            yield attempt(candidate, context, partial(self._train, candidate, context))

    @cached_property
    def _loaded(self) -> _Loaded:
        own = self.equipment
        device = ready(own.device, own.deterministic, own.threads)
        with reading_data():
            corpus = own.dataset.corpus(own.seed)
        train = Reading(corpus.train, self.unroll, device, "training")
        valid = Reading(corpus.valid, self.unroll, device, "validation")
        tokens = len(corpus.vocabulary)
        task = Task((min(self.unroll, corpus.train.inputs.shape[1]),), tokens, "tokens", vocabulary=tokens)
        return _Loaded(train, valid, task, corpus.fingerprint)

    def _train(
        self, candidate: Candidate[Any], context: Context, labels: dict[str, str], curves: Noted
    ) -> Mapping[str, float] | Failure:
        """The metrics, or why the model is not trained. Raises Diverged, Lost."""
        data, trainer, seed = self._loaded, self.equipment.trainer, self.equipment.seed
        cell = self.equipment.space.decode_cell(candidate.proposal.genome)
        plan = LanguagePlan(cell, data.task.outputs, self.hidden, self.layers)
        failure = over_cap(plan, trainer)
        if failure is not None:
            return failure
        model = LanguageModel(plan, self.dropout, torch.Generator().manual_seed(candidate.seed))
        make = partial(ThroughTime, model, trainer, data.task, data.train, data.valid, seed, halt=self.halt)
        checkpoint = checkpoint_of(candidate, trainer, seed, context)
        member = Member(trainer, epochs_of(trainer, candidate), checkpoint)
        [outcome] = fitted(make, [member], Reporter([candidate.id], context.report), self.halt)
        labels.update(checkpoint.labels)
        curves.update(member.curves)
        if isinstance(outcome, Diverged):
            raise outcome
        return with_cost(outcome, plan)
