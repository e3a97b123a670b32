"""The training of the members of an exercise, epoch by epoch: schedules, checkpoints, divergence; and validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import isfinite
from time import perf_counter

from evonas_cli.core.halting import NEVER, Halt, Halted
from evonas_cli.network.task import Kind
from evonas_cli.training.checkpoint import Checkpoint
from evonas_cli.training.exercise import Diverged, Exercise, Outcome, Part
from evonas_cli.training.history import Best, columns, is_better
from evonas_cli.training.reporter import Reporter
from evonas_cli.training.schedules import Course, factor
from evonas_cli.training.state import Progress
from evonas_cli.training.trainer import Trainer


@dataclass(frozen=True)
class Member:
    """How one network of a population is trained: its settings, its epochs in all, its files, its place. Its training
    fills in its learning curves, columns by name."""

    trainer: Trainer
    epochs: int
    checkpoint: Checkpoint
    place: int = 0
    curves: dict[str, list[float | None]] = field(default_factory=dict, compare=False)


def fit(
    exercise: Exercise, members: Sequence[Member], reporter: Reporter | None = None, halt: Halt = NEVER
) -> list[Outcome]:
    """Trains each member up to its epochs and validates; an outcome for each of them. `reporter` hears of each epoch.

    Members are at different places of the exercise, which may have more places than there are members. An outcome is
    Diverged, or has train_loss (mean over the last epoch, training mode, with label smoothing and class weights), the
    metrics of the exercise over the validation part (`valid_loss`, ...), epochs, passes (the examples that this
    candidate has computed in training, in forward passes, without those of the candidate that it continues) and
    train_seconds (measured, this member's share, without validation). With `measure_train` an outcome has the metrics
    over the training part, too (`train_eval_loss`, ...), and those over the test part (`test_loss`, ...) where the
    exercise tests. An interrupted training resumes from its checkpoint with equal bits.

    The validation part is measured every `validate_every` epochs, too, which changes no bit of the training and fails
    no member: a point of the curve whose metrics are not all finite has none. With `keep` best the metrics and the
    kept state are those after the best validated epoch; epochs and passes count all of the training.

    `halt` is asked before each epoch; where it is due, checkpoints are written whatever the time since the last ones.
    Raises Halted then, Lost when what a member continues is not there, ValueError when it does not fit or was trained
    longer.
    """
    return _Training(exercise, members, reporter or Reporter(), halt).run()


class _Training:
    """An exercise in training. A member takes part in the epoch that its progress has reached, and else stands still:
    what the epoch does to its place is undone."""

    def __init__(self, exercise: Exercise, members: Sequence[Member], reporter: Reporter, halt: Halt) -> None:
        self.exercise, self.members, self.reporter, self.halt = exercise, members, reporter, halt
        self.trainer = members[0].trainer
        self.places = [exercise.place(member.place) for member in members]
        self.courses = [
            Course(
                epochs=max(member.epochs, member.trainer.epochs),
                steps_per_epoch=exercise.steps_per_epoch,
                step_size=member.trainer.step_size,
                gamma=member.trainer.gamma,
            )
            for member in members
        ]
        self.progress = [member.checkpoint.restore(place) for member, place in zip(members, self.places, strict=True)]
        self.outcomes: dict[int, Outcome] = {}
        self.known = partial(_known, self.progress, self.outcomes, exercise.kind)

    def run(self) -> list[Outcome]:
        """All epochs that any member needs."""
        for progress, member in zip(self.progress, self.members, strict=True):
            if progress.epoch > member.epochs:
                raise ValueError(
                    f"it continues a training of {progress.epoch} epochs but has only {member.epochs} itself"
                )
        self._conclude()
        seconds, due = 0.0, self.halt.due(0.0)
        while len(self.outcomes) < len(self.members):
            if due:
                raise Halted(seconds=seconds)
            began = perf_counter()
            epoch = min(self.progress[index].epoch for index in self._left())
            trained = self._train(epoch, [index for index in self._left() if self.progress[index].epoch == epoch])
            seconds = perf_counter() - began
            due = self.halt.due(seconds)
            for index in trained:
                member, checkpoint = self.members[index], self.members[index].checkpoint
                last = checkpoint.held and self.progress[index].epoch == member.epochs
                save = checkpoint.save_now if due or last else checkpoint.save
                save(self.places[index], self.progress[index])
            self._conclude()
        self._finish()
        return [self.outcomes[index] for index in range(len(self.members))]

    def _finish(self) -> None:
        """Files are kept until the last member is done: an interrupted stack begins where each of them was."""
        for index, member in enumerate(self.members):
            member.curves.update(columns(self.progress[index].curve))
            if isinstance(self.outcomes[index], Diverged):
                member.checkpoint.discard()
            else:
                member.checkpoint.finish(self.places[index], self.progress[index])

    def _left(self) -> list[int]:
        return [index for index in range(len(self.members)) if index not in self.outcomes]

    def _train(self, epoch: int, active: Sequence[int]) -> list[int]:
        """One epoch of the active members; those of them that have not diverged."""
        epochs = max(self.members[index].epochs for index in self._left())
        self.reporter.epoch(epoch + 1, epochs, [self.members[index].place for index in active], self.known)
        still = {index: place.copy() for index, place in enumerate(self.places) if index not in active}
        started = perf_counter()
        losses = self.exercise.epoch(self._rates(epoch), epoch)
        seconds = (perf_counter() - started) / len(active)
        for index, (model, memory) in still.items():
            self.places[index].load(model, memory)
        trained = []
        for index in active:
            member, before = self.members[index], self.progress[index]
            loss = losses[member.place]
            if not isfinite(loss):
                text = f"the training loss is {loss} after epoch {epoch + 1} of {member.epochs}"
                self.outcomes[index] = Diverged(text)
                continue
            self.progress[index] = replace(
                before, epoch=epoch + 1, train_loss=loss, train_seconds=before.train_seconds + seconds
            )
            trained.append(index)
        self._look([index for index in trained if self._is_point(index)])
        return trained

    def _is_point(self, index: int) -> bool:
        """Whether the member is to be validated now, before its last epoch."""
        member, epoch = self.members[index], self.progress[index].epoch
        every = member.trainer.validate_every
        return every is not None and epoch % every == 0 and epoch < member.epochs

    def _look(self, due: Sequence[int]) -> dict[int, Outcome]:
        """Validates members after an epoch that is a point of their curves."""
        found = self._validate(due) if due else {}
        for index, outcome in found.items():
            metrics = {} if isinstance(outcome, Diverged) else outcome
            before, checkpoint = self.progress[index], self.members[index].checkpoint
            if before.epoch > before.first_epoch:
                point = (before.epoch, before.train_loss, metrics)
                self.progress[index] = replace(before, curve=(*before.curve, point))
            if metrics and self.members[index].trainer.keep == "best":
                best = checkpoint.best
                if best is None or is_better(metrics, best.metrics, self.exercise.kind):
                    checkpoint.best = Best(before.epoch, before.train_loss, metrics, *self.places[index].copy())
        return found

    def _rates(self, epoch: int) -> list[list[float]]:
        """The learning rates of an epoch, steps by places; places without a member stand still."""
        steps = self.exercise.steps_per_epoch
        rates = [[0.0] * self.exercise.width for _ in range(steps)]
        for member, course in zip(self.members, self.courses, strict=True):
            trainer = member.trainer
            for step, row in enumerate(rates, start=epoch * steps):
                row[member.place] = trainer.learning_rate * factor(trainer.schedule, step, course, trainer.warmup)
        return rates

    def _conclude(self) -> None:
        """Validates the members that have all their epochs."""
        due = [index for index in self._left() if self.progress[index].epoch == self.members[index].epochs]
        if not due:
            return
        measured = self._look(due)
        for index in due:
            best = self.members[index].checkpoint.best
            if best is not None:
                measured[index] = self._return_to(index, best)
        on_train: dict[int, Outcome] = {}
        if self.trainer.measure_train:
            on_train = self._validate(due, "train", "train_eval")
        on_test: dict[int, Outcome] = self._validate(due, "test", "test") if self.exercise.tests else {}
        for index in due:
            metrics: dict[str, float] = {}
            for outcome in (on_test.get(index, {}), on_train.get(index, {}), measured[index]):
                if isinstance(outcome, Diverged):
                    self.outcomes[index] = outcome
                else:
                    metrics |= outcome
            self.outcomes.setdefault(index, {**metrics, **self._metrics(index)})

    def _return_to(self, index: int, best: Best) -> Outcome:
        """Gives the member the state of its best epoch; the metrics that were measured then."""
        self.places[index].load(best.model, best.memory)
        self.progress[index] = replace(self.progress[index], train_loss=best.train_loss, kept=best.epoch)
        return dict(best.metrics)

    def _validate(self, due: Sequence[int], part: Part = "valid", prefix: str = "valid") -> dict[int, Outcome]:
        places = [self.members[index].place for index in due]
        found = self.exercise.validate(places, part)
        named: dict[int, Outcome] = {}
        for index in due:
            outcome = found[self.members[index].place]
            if isinstance(outcome, Diverged):
                named[index] = outcome
            else:
                named[index] = {f"{prefix}_{name}": value for name, value in outcome.items()}
        return named

    def _metrics(self, index: int) -> dict[str, float]:
        progress = self.progress[index]
        return {
            "train_loss": progress.train_loss,
            "epochs": progress.epoch,
            "passes": (progress.epoch - progress.first_epoch) * self.exercise.passes_per_epoch,
            "train_seconds": progress.train_seconds,
        }


def _known(progress: Sequence[Progress], outcomes: Mapping[int, Outcome], kind: Kind) -> dict[str, float]:
    """The lowest training loss of the members, and the newest metrics of the best of them, as far as there are any.

    It has no hold on the exercise, which would else wait for the garbage collector with all its memory.
    """
    sound = [member for index, member in enumerate(progress) if not isinstance(outcomes.get(index), Diverged)]
    trained = [member for member in sound if member.epoch > member.first_epoch]
    best: Mapping[str, float] = {}
    for member in trained:
        metrics = member.curve[-1][2] if member.curve else {}
        if metrics and (not best or is_better(metrics, best, kind)):
            best = metrics
    return {"train_loss": min(member.train_loss for member in trained), **best} if trained else {}
