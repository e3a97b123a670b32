"""How evaluations end when a run's time is over: at the end of an epoch, or at once where that would take too long."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from evonas_cli.core.errors import EvonasError
from evonas_cli.core.types import Result

LEEWAY = 0.04
"""The share of a budget of seconds that trainings have, once it is used up, to reach the end of an epoch. With its last
files a run ends at most 5 % late."""


class Halted(EvonasError):
    """An evaluation that was asked to stop has stopped: it has no result, and may be evaluated again.

    `within` says that it stopped in the midst of an epoch, whose work is lost; `seconds` are those that its last epoch
    took, 0 where that is unknown.
    """

    def __init__(self, within: bool = False, seconds: float = 0.0) -> None:
        super().__init__("stopped " + ("within an epoch" if within else "at an epoch's end"))
        self.within, self.seconds = within, seconds


class Halt(Protocol):
    """What a bench asks in the course of an evaluation."""

    def due(self, seconds: float) -> bool:
        """Before an epoch that takes so many seconds (0: unknown): whether to write a checkpoint and raise Halted."""

    def overdue(self) -> bool:
        """Within an epoch: whether to raise Halted at once."""


class Never:
    """A Halt that stops nothing."""

    def due(self, seconds: float) -> bool:
        """False."""
        return False

    def overdue(self) -> bool:
        """False."""
        return False


NEVER = Never()


@dataclass(frozen=True, slots=True)
class Deadline:
    """A Halt by the clock of `time.monotonic`, which all processes of a machine share.

    From `until` on nothing is begun. An epoch that was begun before goes on until `latest`, and one that could not end
    by then is not begun, since its work would be lost.
    """

    until: float
    latest: float

    def due(self, seconds: float = 0.0) -> bool:
        """As Halt.due."""
        now = time.monotonic()
        return now >= self.until or now + seconds > self.latest

    def overdue(self) -> bool:
        """As Halt.overdue."""
        return time.monotonic() >= self.latest

    @property
    def seconds(self) -> float:
        """How many are left before `until`; at least 0."""
        return max(0.0, self.until - time.monotonic())

    @property
    def grace(self) -> float:
        """How many are left before `latest`; at least 0."""
        return max(0.0, self.latest - time.monotonic())


def deadline_of(budget: float, elapsed: float) -> Deadline:
    """The deadline of a run that has used so many seconds of its budget."""
    until = time.monotonic() + budget - elapsed
    return Deadline(until, until + LEEWAY * budget)


class Clock:
    """A Halt by a deadline that is told later, and may be told anew."""

    def __init__(self) -> None:
        self.deadline: Deadline | None = None

    def due(self, seconds: float) -> bool:
        """As Halt.due."""
        return self.deadline is not None and self.deadline.due(seconds)

    def overdue(self) -> bool:
        """As Halt.overdue."""
        return self.deadline is not None and self.deadline.overdue()


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the candidates under way when an evaluator stopped.

    `results` are of those that ended by themselves; the others have none. Of them `at_epoch` lists the ids of those
    that stopped at an epoch's end, `within` of those that stopped in the midst of one.
    """

    results: Sequence[Result] = ()
    at_epoch: tuple[int, ...] = ()
    within: tuple[int, ...] = ()

    def and_halted(self, ids: Sequence[int], within: bool) -> Ended:
        """The same with further candidates that stopped."""
        if within:
            return replace(self, within=(*self.within, *ids))
        return replace(self, at_epoch=(*self.at_epoch, *ids))
