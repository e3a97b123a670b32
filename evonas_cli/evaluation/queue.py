"""Units that wait for a worker: the one with the most work goes first, of equals the lowest id.

Where long trainings begin last, the other workers wait for them at the end of the step (the rule is Graham's, 1969).
Before all others goes the first candidate of a run, where it is alone: its result is the first one that a user sees.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

from evonas_cli.core.types import Unit

G = TypeVar("G")


class Queue(Generic[G]):
    """`work` says how much a unit has to do, or None where that is unknown or nothing; such units count as short."""

    def __init__(self, work: Callable[[Unit[G]], float | None]) -> None:
        self._work = work
        self._waiting: list[tuple[bool, float, int, Unit[G]]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, unit: Unit[G]) -> None:
        """The unit waits."""
        id = unit.candidates[0].id
        later = id > 0 or len(unit.candidates) > 1
        heapq.heappush(self._waiting, (later, -(self._work(unit) or 0.0), id, unit))

    def pop(self) -> Unit[G]:
        """The unit that goes next. Raises IndexError when there is none."""
        return heapq.heappop(self._waiting)[-1]

    def first(self) -> Unit[G] | None:
        """The unit that `pop` returns next."""
        return self._waiting[0][-1] if self._waiting else None

    def drop_until(self, fits: Callable[[Unit[G]], bool]) -> None:
        """Drops units until the first one fits, or none is left."""
        while self._waiting and not fits(self._waiting[0][-1]):
            self.pop()
