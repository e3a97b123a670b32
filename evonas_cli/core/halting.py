"""How evaluations end when a run's time is over, or somebody asks it to stop: at the end of an epoch, or at once where
that would take too long."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from evonas_cli.core.errors import EvonasError
from evonas_cli.core.types import Result

LEEWAY = 0.02
"""The share of a budget of seconds that trainings have, once it is used up, to reach the end of an epoch. The start of
the processes, which the budget does not count, and the last files take some seconds more: with them a run of four
minutes ends at most 5 % late."""


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


def earlier(first: Deadline | None, second: Deadline | None) -> Deadline | None:
    """What both deadlines demand; None where there is none."""
    if first is None or second is None:
        return first or second
    return Deadline(min(first.until, second.until), min(first.latest, second.latest))


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


class StopRequest:
    """What asks a search under way to stop: from `ask` on there is a deadline, and `cause` says who asked.

    A signal handler may ask at any moment. `ended` is what became of the candidates under way, once that is known.
    """

    def __init__(self) -> None:
        self.deadline: Deadline | None = None
        self.cause: BaseException | None = None
        self.ended = Ended()

    def ask(self, cause: BaseException, grace: float) -> None:
        """Nothing is begun any more; an epoch that was begun has so many seconds to end."""
        now = time.monotonic()
        self.cause, self.deadline = cause, Deadline(now, now + grace)


class Clock:
    """A Halt by a deadline that is told later, and may be told anew, or by a request to stop."""

    def __init__(self, request: StopRequest | None = None) -> None:
        self.deadline: Deadline | None = None
        self._request = request

    @property
    def earliest(self) -> Deadline | None:
        """The deadline that counts now."""
        return self.deadline if self._request is None else earlier(self.deadline, self._request.deadline)

    def due(self, seconds: float) -> bool:
        """As Halt.due."""
        deadline = self.earliest
        return deadline is not None and deadline.due(seconds)

    def overdue(self) -> bool:
        """As Halt.overdue."""
        deadline = self.earliest
        return deadline is not None and deadline.overdue()
