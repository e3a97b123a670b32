"""Units that wait for a worker: the one with the most work goes first, of equals the lowest id.

Where long trainings begin last, the other workers wait for them at the end of the step (the rule is Graham's, 1969).
Before all others goes the unit with the least work, once: its result is the first one that a user sees.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from typing import Generic, TypeVar

from evonas_cli.core.types import Unit

G = TypeVar("G")


class Queue(Generic[G]):
    """`work` says how much a unit has to do, or None where that is unknown or nothing; such units count as short."""

    def __init__(self, work: Callable[[Unit[G]], float | None]) -> None:
        self._work, self._begun = work, False
        self._waiting: list[tuple[float, int, Unit[G]]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, unit: Unit[G]) -> None:
        """The unit waits."""
        insort(self._waiting, (-(self._work(unit) or 0.0), unit.candidates[0].id, unit))

    def pop(self) -> Unit[G]:
        """The unit that goes next. Raises IndexError when there is none."""
        unit = self._waiting.pop(self._place())[-1]
        self._begun = True
        return unit

    def first(self) -> Unit[G] | None:
        """The unit that `pop` returns next."""
        return self._waiting[self._place()][-1] if self._waiting else None

    def drop_until(self, fits: Callable[[Unit[G]], bool]) -> None:
        """Drops units until the first one fits, or none is left."""
        while (unit := self.first()) is not None and not fits(unit):
            self.pop()

    def _place(self) -> int:
        """Where the unit stands that goes next: the first pop takes the one with the least work, of equals the lowest
        id."""
        if self._begun or not self._waiting:
            return 0
        return min(range(len(self._waiting)), key=lambda place: (-self._waiting[place][0], self._waiting[place][1]))
