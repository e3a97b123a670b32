"""One candidate's language model from genome to metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Candidate, Failure, Json, Result
from evonas_cli.data.sequences import SequenceDataset
from evonas_cli.genomes.capabilities import Recurrent
from evonas_cli.network.language import LanguagePlan
from evonas_cli.network.task import Task
from evonas_cli.nn.recurrent import LanguageModel
from evonas_cli.training.backpropagation import ThroughTime
from evonas_cli.training.batches.windows import Reading
from evonas_cli.training.candidates.attempt import Noted, attempt, fitted
from evonas_cli.training.candidates.environment import environment, ready
from evonas_cli.training.checkpoint import checkpoint_of
from evonas_cli.training.device.errors import one_line
from evonas_cli.training.exercise import Diverged
from evonas_cli.training.extent import epochs_of, over_cap, with_cost
from evonas_cli.training.loop import Member
from evonas_cli.training.trainer import Trainer


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
        space: Recurrent[Any],
        dataset: SequenceDataset,
        trainer: Trainer,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
        hidden: int,
        unroll: int,
        dropout: float,
    ) -> None:
        self.space, self.dataset, self.trainer, self.seed = space, dataset, trainer, seed
        self.device, self.deterministic, self.threads = device, deterministic, threads
        self.hidden, self.unroll, self.dropout = hidden, unroll, dropout

    def environment(self) -> dict[str, Json]:
        """Device, torch, threads, the task, and a digest of the data."""
        loaded = self._loaded
        return environment(loaded.train.device, self.threads, loaded.task, loaded.fingerprint)

    def evaluate(self, candidate: Candidate[Any], context: Context) -> Result:
        """The candidate's result."""
        return attempt(candidate, context, lambda *notes: self._train(candidate, context, *notes))

    @cached_property
    def _loaded(self) -> _Loaded:
        device = ready(self.device, self.deterministic, self.threads)
        try:
            corpus = self.dataset.corpus(self.seed)
        except OSError as error:
            raise EnvironmentFailure(f"the data cannot be read: {one_line(error)}") from error
        train = Reading(corpus.train, self.unroll, device, "training")
        valid = Reading(corpus.valid, self.unroll, device, "validation")
        tokens = len(corpus.vocabulary)
        task = Task((min(self.unroll, corpus.train.inputs.shape[1]),), tokens, "tokens", vocabulary=tokens)
        return _Loaded(train, valid, task, corpus.fingerprint)

    def _train(
        self, candidate: Candidate[Any], context: Context, labels: dict[str, str], curves: Noted
    ) -> Mapping[str, float] | Failure:
        """The metrics, or why the model is not trained. Raises Diverged, Lost."""
        data, trainer = self._loaded, self.trainer
        plan = LanguagePlan(self.space.decode_cell(candidate.proposal.genome), data.task.outputs, self.hidden)
        failure = over_cap(plan, trainer)
        if failure is not None:
            return failure
        model = LanguageModel(plan, self.dropout, torch.Generator().manual_seed(candidate.seed))
        make = partial(ThroughTime, model, trainer, data.task, data.train, data.valid, self.seed)
        checkpoint = checkpoint_of(candidate, trainer, self.seed, context)
        member = Member(trainer, epochs_of(trainer, candidate), checkpoint)
        [outcome] = fitted(make, [member])
        labels.update(checkpoint.labels)
        curves.update(member.curves)
        if isinstance(outcome, Diverged):
            raise outcome
        return with_cost(outcome, plan)
