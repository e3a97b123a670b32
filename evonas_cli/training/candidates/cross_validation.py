"""Candidates that are trained once for each fold of the data and measured by the mean over the folds (`data.folds`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch

from evonas_cli.core.errors import EvonasError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Training, Unit
from evonas_cli.data.arrays import Inputs, Labels
from evonas_cli.data.folds import fold, folds_of
from evonas_cli.data.resident import Resident
from evonas_cli.data.splits import Splits
from evonas_cli.network.metrics import OBJECTIVES, spread_of
from evonas_cli.network.task import Kind
from evonas_cli.training.candidates.built import Built
from evonas_cli.training.device.errors import is_device_error
from evonas_cli.training.exercise import Diverged, Outcome
from evonas_cli.training.folded import keep
from evonas_cli.training.inheritance import start_of
from evonas_cli.training.loop import Member

SUMMED = ("passes", "train_seconds")
"""What the trainings of a candidate take together; of all else it has the mean over the folds."""

Train = Callable[[Sequence[Built], Unit[Any], Context, Resident, int], tuple[list[Outcome], list[Member]]]
"""Trains candidates on the data of the fold with that number."""


class Folds:
    """The data of a run by folds: each fold in turn is copied to the device while networks are trained on it.

    Raises UsageError where the data cannot be divided into so many folds.
    """

    def __init__(self, splits: Splits, count: int, seed: int, device: torch.device, memory: str, where: str) -> None:
        self.count, self.kind = count, splits.task.kind
        self._splits, self._device, self._memory = splits, device, memory
        self._numbers = folds_of(splits, count, seed, where)
        self._test: tuple[Inputs, Labels] | None = None

    def hold_test(self, x: Inputs, y: Labels) -> None:
        """Takes the test part, on which the networks of all folds are measured."""
        self._test = x, y

    def data(self, number: int) -> Resident:
        """The data with the fold as the validation part."""
        data = Resident(fold(self._splits, self._numbers, number), self._device, self._memory)
        if self._test is not None:
            data.hold_test(*self._test)
        return data


@dataclass(frozen=True)
class Within:
    """The context of one of `count` trainings of each candidate: reports count the epochs of all of them."""

    context: Context
    number: int
    count: int

    def folder(self, id: int) -> Path | None:
        """As Context.folder."""
        return self.context.folder(id)

    def report(self, training: Training) -> None:
        """As Context.report."""
        epochs = training.epochs
        epoch = self.number * epochs + training.epoch
        self.context.report(replace(training, epoch=epoch, epochs=self.count * epochs))


def over_folds(built: Sequence[Built], unit: Unit[Any], context: Context, folds: Folds, train: Train) -> list[Outcome]:
    """An outcome for each candidate: metrics over all folds, or Diverged where it diverged in one of them.

    The training of each fold has a file to resume from, which stays until the candidate's last fold is done, so that an
    interrupted candidate trains no fold again. The network of the first fold begins as that of a candidate without
    folds does, the others by seeds of their own.
    """
    courses = [_Course(found) for found in built]
    try:
        for number in range(folds.count):
            active = [course for course in courses if course.diverged is None]
            if not active:
                break
            own = [course.built.of_fold(number) for course in active]
            part = unit.among({found.candidate.id for found in own})
            part = replace(part, candidates=tuple([found.candidate for found in own]))
            data = folds.data(number)
            outcomes, members = train(own, part, Within(context, number, folds.count), data, number)
            for course, found, outcome, member in zip(active, own, outcomes, members, strict=True):
                course.add(found, outcome, member, f"fold {number + 1} of {folds.count}")
    except (EvonasError, OSError):
        raise
    except Exception as error:
        if not is_device_error(error):
            for course in courses:
                course.discard()
        raise
    return [course.outcome(folds, context) for course in courses]


class _Course:
    """The trainings of one candidate so far."""

    def __init__(self, built: Built) -> None:
        self.built = built
        self.diverged: Diverged | None = None
        self._outcomes: list[dict[str, float]] = []
        self._own: list[Built] = []
        self._members: list[Member] = []

    def add(self, own: Built, outcome: Outcome, member: Member, where: str) -> None:
        """Takes the training of a fold."""
        self._own.append(own)
        self._members.append(member)
        if isinstance(outcome, Diverged):
            self.diverged = Diverged(f"{outcome} ({where})")
            self.discard()
        else:
            self._outcomes.append(outcome)

    def discard(self) -> None:
        """Removes what the trainings could be resumed from."""
        for member in self._members:
            member.checkpoint.discard()

    def outcome(self, folds: Folds, context: Context) -> Outcome:
        """The metrics over all folds; labels and curves go to the candidate, its states into one file."""
        self.built.labels.update(_together([own.labels for own in self._own]))
        self.built.curves.update(mean_curves([own.curves for own in self._own]))
        if self.diverged is not None:
            return self.diverged
        states = [member.checkpoint.final for member in self._members]
        if all(state is not None for state in states):
            folder = context.folder(self.built.candidate.id)
            assert folder is not None, "a state is kept in a folder"
            self.built.labels["state"] = keep(folder, [state for state in states if state is not None])
        self.discard()
        start = start_of(self.built.candidate)
        further = 0 if start is None else (folds.count - 1) * start.passes
        found = combined(self._outcomes, folds.kind)
        return {**found, "passes": found["passes"] + further}


def combined(outcomes: Sequence[Mapping[str, float]], kind: Kind) -> dict[str, float]:
    """The metrics of several trainings: means, sums of what they took, and the standard deviation of what a search of
    this kind of task optimises.

    >>> combined([{"valid_error": 0.2, "passes": 3}, {"valid_error": 0.4, "passes": 3}], "classes")
    {'valid_error': 0.30000000000000004, 'passes': 6, 'valid_error_sd': 0.14142135623730953}
    """
    columns = {name: [outcome[name] for outcome in outcomes] for name in outcomes[0]}
    found = {name: sum(values) if name in SUMMED else _mean(values) for name, values in columns.items()}
    return {**found, spread_of(OBJECTIVES[kind]): stdev(columns[OBJECTIVES[kind]])}


def mean_curves(curves: Sequence[Mapping[str, Sequence[float | None]]]) -> dict[str, list[float | None]]:
    """The mean learning curve, column by column; None where one of the curves has no number."""
    found: dict[str, list[float | None]] = {}
    for name in curves[0]:
        found[name] = []
        for row in zip(*(curve[name] for curve in curves), strict=False):
            numbers = [value for value in row if value is not None]
            found[name].append(_mean(numbers) if len(numbers) == len(row) else None)
    return found


def _mean(values: Sequence[float]) -> float:
    """Equal values stay as they are: a number of epochs is no broken number."""
    return values[0] if len(set(values)) == 1 else fmean(values)


def _together(labels: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The labels of several trainings; where they differ, one after the other."""
    found = {}
    for name in labels[0]:
        values = [own[name] for own in labels if name in own]
        found[name] = values[0] if len(set(values)) == 1 else ", ".join(values)
    return found
