"""Units that wait for a worker: the one that is predicted to take longest goes first, of equals the lowest id.

Where long trainings begin last, the other workers wait for them at the end of the step (the rule is Graham's, 1969).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from evonas_cli.core.types import Unit
from evonas_cli.evaluation.cost import CostModel

G = TypeVar("G")
Amounts: TypeAlias = tuple[float, ...] | None


class Queue(Generic[G]):
    """`work` says what a unit has to do, or None where that is unknown or nothing; such units count as short."""

    def __init__(self, work: Callable[[Unit[G]], Amounts]) -> None:
        self._work, self._costs = work, CostModel()
        self._waiting: list[tuple[float, int, Unit[G], Amounts]] = []
        self._recalled: list[tuple[Unit[G], float]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, unit: Unit[G]) -> None:
        """The unit waits."""
        amounts = self._work(unit)
        heapq.heappush(self._waiting, (-self._seconds(amounts), unit.candidates[0].id, unit, amounts))

    def pop(self) -> Unit[G]:
        """The unit that goes next. Raises IndexError when there is none."""
        for unit, seconds in self._recalled:
            self.finished(unit, seconds)
        self._recalled.clear()
        if self._costs.fit():
            self._waiting = [(-self._seconds(amounts), id, unit, amounts) for _, id, unit, amounts in self._waiting]
            heapq.heapify(self._waiting)
        return heapq.heappop(self._waiting)[2]

    def first(self) -> Unit[G] | None:
        """The unit that `pop` returns next, unless costs are learnt before."""
        return self._waiting[0][2] if self._waiting else None

    def finished(self, unit: Unit[G], seconds: float) -> None:
        """The unit took so long."""
        amounts = self._work(unit)
        if amounts is not None:
            self._costs.learn(amounts, seconds)

    def recall(self, finished: Sequence[tuple[Unit[G], float]]) -> None:
        """Units of earlier sessions and their seconds; `work` is asked about them before the next unit goes."""
        self._recalled += finished

    def _seconds(self, amounts: Amounts) -> float:
        return 0.0 if amounts is None else self._costs.predict(amounts)
