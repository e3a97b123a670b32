"""The training of a population over resident data, one synchronisation with the device an epoch; and validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from time import perf_counter
from typing import Literal, TypeAlias

import torch

from evonas_cli.data.resident import Resident
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.checkpoint import Checkpoint, Place
from evonas_cli.training.device.one_thread import in_one_thread
from evonas_cli.training.optimizers import OPTIMIZERS
from evonas_cli.training.schedules import Course, factor
from evonas_cli.training.steps import Pause, Steps, criterion_of, forward, memory_format, nobody
from evonas_cli.training.trainer import Trainer


class Diverged(Exception):
    """The loss is no finite number."""


@dataclass(frozen=True)
class Member:
    """How one network of a population is trained: its settings, its epochs in all, its files, its place."""

    trainer: Trainer
    epochs: int
    checkpoint: Checkpoint
    place: int = 0


Part: TypeAlias = Literal["train", "valid", "test"]
Outcome: TypeAlias = dict[str, float] | Diverged


def fit(
    population: Population, members: Sequence[Member], data: Resident, run_seed: int, pause: Pause = nobody
) -> list[Outcome]:
    """Trains each member up to its epochs and validates; an outcome for each of them.

    Members may differ in learning rate, momentum, decay, schedule and epochs; all other settings are those of the first
    one. The population may have more places than there are members. An outcome is Diverged, or has train_loss (mean
    over the last epoch, training mode, with label smoothing and class weights), the metrics of the task's kind over the
    validation part (`valid_loss`, ...), epochs, images (the examples that this candidate saw in training, without those
    of the candidate that it continues) and train_seconds (measured, this member's share, without validation). With
    `measure_train` an outcome has the metrics over the training part, too (`train_eval_loss`, ...), and those over the
    test part (`test_loss`, ...) where the data holds one. An interrupted
    training resumes from its checkpoint with equal bits. Batches, augmentation and the noise of layers such as dropout
    are functions of `run_seed` and the epoch. `pause` is called where the device has something to do and this thread
    has not.
    Raises Lost when what a member continues is not there, ValueError when it does not fit or was trained longer.
    """
    return _Training(population, members, data, run_seed, pause).run()


class _Training:
    """A population in training. A member takes part in the epoch that its progress has reached, and else stands still:
    what the epoch does to its place is undone."""

    def __init__(
        self, population: Population, members: Sequence[Member], data: Resident, run_seed: int, pause: Pause
    ) -> None:
        self.population, self.members, self.data = population, members, data
        self.trainer = members[0].trainer
        population.to(device=data.device)
        population.to(memory_format=memory_format(self.trainer))
        trainers = {member.place: member.trainer for member in members}
        all_places = [trainers.get(place, self.trainer) for place in range(population.width)]
        self.optimizer = OPTIMIZERS[self.trainer.optimizer](list(population.parameters()), all_places)
        self.steps = Steps(population, data, self.trainer, self.optimizer, run_seed, pause)
        self.places = [Place(population, self.optimizer, member.place) for member in members]
        self.courses = [
            Course(
                epochs=max(member.epochs, member.trainer.epochs),
                batch_size=self.steps.size,
                steps_per_epoch=data.n_train // self.steps.size,
                step_size=member.trainer.step_size,
                gamma=member.trainer.gamma,
            )
            for member in members
        ]
        self.progress = [member.checkpoint.restore(place) for member, place in zip(members, self.places, strict=True)]
        self.outcomes: dict[int, Outcome] = {}

    def run(self) -> list[Outcome]:
        """All epochs that any member needs."""
        for progress, member in zip(self.progress, self.members, strict=True):
            if progress.epoch > member.epochs:
                raise ValueError(
                    f"it continues a training of {progress.epoch} epochs but has only {member.epochs} itself"
                )
        self._conclude()
        while len(self.outcomes) < len(self.members):
            epoch = min(self.progress[index].epoch for index in self._left())
            self._train(epoch, [index for index in self._left() if self.progress[index].epoch == epoch])
            self._conclude()
        self._finish()
        return [self.outcomes[index] for index in range(len(self.members))]

    def _finish(self) -> None:
        """Files are kept until the last member is done: an interrupted stack begins where each of them was."""
        for index, member in enumerate(self.members):
            if isinstance(self.outcomes[index], Diverged):
                member.checkpoint.discard()
            else:
                member.checkpoint.finish(self.places[index], self.progress[index])

    def _left(self) -> list[int]:
        return [index for index in range(len(self.members)) if index not in self.outcomes]

    def _train(self, epoch: int, active: Sequence[int]) -> None:
        still = {index: place.copy() for index, place in enumerate(self.places) if index not in active}
        started = perf_counter()
        losses = self.steps.epoch(self._rates(epoch), epoch)
        seconds = (perf_counter() - started) / len(active)
        for index, (model, memory) in still.items():
            self.places[index].load(model, memory)
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
            member.checkpoint.save(self.places[index], self.progress[index])

    def _rates(self, epoch: int) -> list[list[float]]:
        """The learning rates of an epoch, steps by places; places without a member stand still."""
        steps = self.courses[0].steps_per_epoch
        rates = [[0.0] * self.population.width for _ in range(steps)]
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
        measured = self._validate(due)
        on_train: dict[int, Outcome] = {}
        if self.trainer.measure_train:
            on_train = self._validate(due, "train", "train_eval")
        on_test: dict[int, Outcome] = self._validate(due, "test", "test") if self.data.tests else {}
        for index in due:
            metrics: dict[str, float] = {}
            for outcome in (on_test.get(index, {}), on_train.get(index, {}), measured[index]):
                if isinstance(outcome, Diverged):
                    self.outcomes[index] = outcome
                else:
                    metrics |= outcome
            self.outcomes.setdefault(index, {**metrics, **self._metrics(index)})

    def _validate(self, due: Sequence[int], part: Part = "valid", prefix: str = "valid") -> dict[int, Outcome]:
        places = [self.members[index].place for index in due]
        call = partial(validate, self.population, self.data, self.trainer, places, part)
        found = in_one_thread(self.data.device, call)
        named: dict[int, Outcome] = {}
        for index in due:
            outcome = found[self.members[index].place]
            if isinstance(outcome, Diverged):
                named[index] = outcome
            else:
                named[index] = {f"{prefix}_{name}": value for name, value in outcome.items()}
        return named

    def _metrics(self, index: int) -> dict[str, float]:
        progress, course = self.progress[index], self.courses[index]
        return {
            "train_loss": progress.train_loss,
            "epochs": progress.epoch,
            "images": (progress.epoch - progress.first_epoch) * course.steps_per_epoch * course.batch_size,
            "train_seconds": progress.train_seconds,
        }


@torch.inference_mode()
def validate(
    population: Population,
    data: Resident,
    trainer: Trainer,
    places: Sequence[int],
    part: Part = "valid",
) -> dict[int, Outcome]:
    """The metrics of each of the places over a part, in evaluation mode, by their names without the part; Diverged when
    one is not finite. Raises RuntimeError when metrics contradict each other."""
    population.eval()
    meter = criterion_of(data, trainer).meter(population.width)
    for x, y in data.batches(part, max(1, trainer.eval_batch_size // population.width)):
        meter.add(forward(population, x, trainer), y)
    measured = meter.measured()
    found: dict[int, Outcome] = {}
    for place in places:
        broken = [name for name, value in measured[place].items() if not isfinite(value)]
        text = f"the {broken[0]} over the {part} part is {measured[place][broken[0]]}" if broken else ""
        found[place] = Diverged(text) if broken else measured[place]
    return found
