"""How long the first epoch of a unit takes at least, from the fastest pace at which others were evaluated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from evonas_cli.core.evaluating import Foreseeing, Job, Stoppable
from evonas_cli.core.halting import Deadline
from evonas_cli.core.types import Json, Unit

G = TypeVar("G")


class Pace(Generic[G]):
    """Seconds by amount of work, of a job that is `Foreseeing` and `Stoppable`; of others it knows nothing.

    The fastest pace counts, so that a unit is held back only where it has no chance. A clock decides here, but about
    nothing else than when a run ends.
    """

    def __init__(self, job: Job[G]) -> None:
        self._job: Any = job
        self._foreseen = isinstance(job, Foreseeing) and isinstance(job, Stoppable)
        self._seconds = math.inf

    def learn(self, unit: Unit[G], environment: Mapping[str, Json], whole: float = 0.0, epoch: float = 0.0) -> None:
        """The `whole` unit, or an `epoch` of it, has taken so many seconds; 0: not known.

        Programs that share a device say nothing of one that is alone there.
        """
        if not self._foreseen or (unit.width == 1 and len(unit.candidates) > 1):
            return
        amount, epochs = self._job.work(unit, environment), self._job.epochs(unit, environment)
        seconds = whole or epoch * (epochs or 0)
        if amount and seconds:
            self._seconds = min(self._seconds, seconds / amount)

    def fits(self, unit: Unit[G], deadline: Deadline | None, environment: Mapping[str, Json]) -> bool:
        """Whether one epoch of the unit may end before `deadline.until`; nothing fits once that is over."""
        if deadline is None:
            return True
        left = deadline.seconds
        if left <= 0 or not self._foreseen or math.isinf(self._seconds):
            return left > 0
        amount, epochs = self._job.work(unit, environment), self._job.epochs(unit, environment)
        return not amount or not epochs or self._seconds * amount / epochs <= left
