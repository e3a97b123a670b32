"""An evaluator for tests: runs the job in this process, hands results back in a shuffled order, and can break down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Generic, TypeVar

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.evaluating import Bench, Context, Job, Place, opened
from evonas_cli.core.halting import Clock, Deadline, Ended, Halted
from evonas_cli.core.types import Candidate, Json, Result, Unit
from evonas_cli.evaluation.units import divide, evaluate

G = TypeVar("G")


class Fake(Generic[G]):
    """An evaluator for tests: it hands results back in a shuffled order, and can break down.

    Delivers in an order drawn from `shuffle_seed`; after `break_after` results it fails like a broken machine."""

    slots = 1

    def __init__(
        self,
        job: Job[G],
        context: Context,
        shuffle_seed: int = 0,
        break_after: int | None = None,
        threads: int = 1,
    ) -> None:
        self._job, self._context = job, context
        self._clock, self._ended = Clock(), Ended()
        self._bench: Bench[G] = opened(job, Place(halt=self._clock))
        self._rng, self._left = Random(shuffle_seed), break_after
        self._environment: dict[str, Json] = {}
        self._waiting: list[Unit[G]] = []

    def start(self) -> dict[str, Json]:
        """The bench's environment."""
        self._environment = self._bench.environment()
        return self._environment

    def units(self, asked: Sequence[Candidate[G]]) -> list[Unit[G]]:
        """As the job divides the ask."""
        return divide(self._job, asked, self._environment)

    def submit(self, units: Sequence[Unit[G]]) -> None:
        """Queues the units."""
        self._waiting += units

    def collect(self, deadline: Deadline | None = None) -> list[Result]:
        """The results of one to three units of those submitted. Raises EnvironmentFailure when the breakdown is due."""
        self._clock.deadline = deadline
        if deadline is not None and (deadline.due() or not self._waiting):
            return []
        chosen: list[Unit[G]] = []
        for _ in range(min(self._rng.randint(1, 3), len(self._waiting))):
            if self._left == 0:
                break
            chosen.append(self._waiting.pop(self._rng.randrange(len(self._waiting))))
            self._left = None if self._left is None else self._left - 1
        if not chosen:
            raise EnvironmentFailure("the fake evaluator broke down as it was told to; resume the run")
        results = [result for unit in chosen for result in self._evaluated(unit)]
        return results or self.collect(deadline)

    def _evaluated(self, unit: Unit[G]) -> Iterator[Result]:
        """The results of the unit; none for candidates that stop."""
        left = [candidate.id for candidate in unit.candidates]
        try:
            for result in evaluate(self._bench, unit, self._context):
                left.remove(result.id)
                yield result
        except Halted as halted:
            self._ended = self._ended.and_halted(left, halted.within)

    def stop(self) -> Ended:
        """What `collect` has stopped; drops what is queued."""
        self.close()
        return self._ended

    def close(self) -> None:
        """Drops what is queued."""
        self._waiting.clear()
