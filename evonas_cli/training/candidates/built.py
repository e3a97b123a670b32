"""A candidate whose network can be trained, as a member of a population; and its training's outcome as a result."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from evonas_cli.core.evaluating import Context
from evonas_cli.core.failures import MICRO_BATCHES
from evonas_cli.core.rng import derive
from evonas_cli.core.types import Candidate, Failure, Result
from evonas_cli.data.resident import Resident
from evonas_cli.data.splits import Splits
from evonas_cli.network.plan import Plan
from evonas_cli.network.signature import Signature
from evonas_cli.nn.build import Network
from evonas_cli.nn.initial import initial
from evonas_cli.training.checkpoint import checkpoint_of
from evonas_cli.training.device.errors import one_line
from evonas_cli.training.exercise import Diverged, Outcome
from evonas_cli.training.extent import epochs_of, with_cost
from evonas_cli.training.inheritance import Inheritance, examples_of, start_of
from evonas_cli.training.loop import Member
from evonas_cli.training.trainer import Trainer

MICRO = 2
"""Micro-batches of a batch where whole ones take too much memory."""


@dataclass(frozen=True)
class Built:
    """A candidate whose genome has a network that may be trained, each batch in so many `parts`."""

    candidate: Candidate[Any]
    plan: Plan
    trainer: Trainer
    labels: dict[str, str]
    curves: dict[str, list[float | None]] = field(default_factory=dict)
    parts: int = 1

    @property
    def network(self) -> Network:
        """The network with its initial weights."""
        return initial(self.plan, self.candidate.seed, self.trainer.initialisation)

    def divided(self, parts: int) -> Built | Failure:
        """The candidate with batches in so many parts, which its labels say; a failure where parts had less than two
        examples, with which no batch can be normalised."""
        size = self.trainer.batch_size
        if parts == 1:
            return self
        if size < 2 * parts:
            return Failure("oom", f"batches of {size} take too much memory, and are too small to be divided")
        self.labels[MICRO_BATCHES] = str(parts)
        return replace(self, parts=parts)

    def of_fold(self, number: int) -> Built:
        """The candidate's training on a fold, which after the first one has a seed of its own."""
        seed = derive(self.candidate.seed, "fold", number) if number else self.candidate.seed
        return replace(self, candidate=replace(self.candidate, seed=seed), labels=dict(self.labels), curves={})

    def member(
        self,
        place: int,
        run_seed: int,
        context: Context,
        signature: Signature,
        data: Resident,
        fold: int | None = None,
    ) -> Member:
        """The candidate at a place of a population; its files say what the network is.

        Weights that morphs make are fitted over examples of `data`. `fold` as for `checkpoint_of`. Raises UsageError
        for options that training does not know.
        """
        epochs, start = epochs_of(self.trainer, self.candidate), start_of(self.candidate)
        about = {"plan": json.dumps(self.plan.to_json()), "signature": json.dumps(signature.to_json())}
        inheritance = None
        if start is not None:
            id, seed = self.candidate.id, self.candidate.seed
            examples = partial(examples_of, data)
            inheritance = Inheritance(id, start, self.plan, seed, examples, self.trainer.initialisation)
        checkpoint = checkpoint_of(self.candidate, self.trainer, run_seed, context, about, inheritance, fold)
        return Member(self.trainer, epochs, checkpoint, place)

    def metrics(self, measured: dict[str, float]) -> dict[str, float]:
        """What was measured, with the network's size and the cost of the training, a distillation included."""
        start = start_of(self.candidate)
        passes = measured["passes"] + (0 if start is None else start.passes)
        return with_cost({**measured, "passes": passes}, self.plan)

    def result(self, outcome: Outcome, seconds: float) -> Result:
        """The outcome of a training that took so many seconds."""
        id = self.candidate.id
        if isinstance(outcome, Diverged):
            failure = Failure("diverged", one_line(outcome))
            return Result(id, "failed", error=failure, seconds=seconds, labels=self.labels, curves=self.curves)
        metrics = self.metrics(outcome)
        return Result(id, "ok", metrics=metrics, seconds=seconds, labels=self.labels, curves=self.curves)

    def note(self, member: Member) -> None:
        """Takes what a training has left at its member for the journal: labels and learning curves."""
        self.labels.update(member.checkpoint.labels)
        self.curves.update(member.curves)


def signature_of(splits: Splits) -> Signature:
    """What goes into the networks trained on this data, and what comes out."""
    moments = (splits.mean, splits.std, splits.target_mean, splits.target_std)
    mean, std, target_mean, target_std = [tuple(values.tolist()) for values in moments]
    if splits.task.kind != "numbers":
        target_mean, target_std = (), ()
    preparation = splits.preparation or {"form": "arrays", "bytes": str(splits.x_train.dtype) == "uint8"}
    return Signature(splits.task, mean, std, splits.names, target_mean, target_std, preparation)
