"""Evaluates in this process, one ask after the other, and hands back each result as soon as it is there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from evonas_cli.core.evaluating import Bench, Context, Job, Place, opened
from evonas_cli.core.halting import Clock, Deadline, Ended, Halted, StopRequest
from evonas_cli.core.types import Candidate, Json, Result, Unit
from evonas_cli.evaluation.division import at_least_one
from evonas_cli.evaluation.pace import Pace
from evonas_cli.evaluation.printed import Listening, Printed
from evonas_cli.evaluation.units import abreast, divide, evaluate, merged

G = TypeVar("G")


class Serial(Generic[G]):
    """The evaluator without processes: for cheap jobs and for debugging.

    A bench that does not heed `Place.halt` ends the evaluation that it has begun, whatever the deadline.
    """

    slots = 1

    def __init__(
        self, job: Job[G], context: Context, threads: int = 1, stop_request: StopRequest | None = None
    ) -> None:
        at_least_one(threads=threads)
        self._job, self._context = job, context
        self._bench: Bench[G] | None = None
        self._environment: dict[str, Json] = {}
        self._most = 1
        self._waiting: deque[Unit[G]] = deque()
        self._running: Iterator[Result] = iter(())
        self._clock, self._pace, self._ended = Clock(stop_request), Pace(job), Ended()
        self._printed = Printed()
        self._listening = Listening(self._printed)

    def start(self) -> dict[str, Json]:
        """Opens a bench and returns its environment."""
        self._bench = opened(self._job, Place(halt=self._clock))
        self._environment = self._bench.environment()
        self._most = abreast(self._job, self._environment)
        return self._environment

    def units(self, asked: Sequence[Candidate[G]]) -> list[Unit[G]]:
        """As the job divides the ask."""
        return divide(self._job, asked, self._environment)

    def submit(self, units: Sequence[Unit[G]]) -> None:
        """Queues the units."""
        self._waiting.extend(units)

    def collect(self, deadline: Deadline | None = None) -> list[Result]:
        """The next result of the oldest unit. Raises RuntimeError before `start`, IndexError when there is none."""
        self._clock.deadline = deadline
        while (earliest := self._clock.earliest) is None or not earliest.due():
            for result in self._running:
                return [result]
            earliest = self._clock.earliest
            if earliest is not None and not self._waiting:
                break
            unit = self._next()
            if earliest is None or self._pace.fits(unit, earliest, self._environment):
                self._running = self._evaluated(unit)
        return []

    def stop(self) -> Ended:
        """What `collect` has stopped; drops what is queued."""
        self.close()
        return self._ended

    def _next(self) -> Unit[G]:
        """The oldest unit, and with it as many others as the job wants at once."""
        together = [self._waiting.popleft()]
        while len(together) < self._most and self._waiting and together[0].width == self._waiting[0].width == 1:
            together.append(self._waiting.popleft())
        return merged(together)

    def _evaluated(self, unit: Unit[G]) -> Iterator[Result]:
        """The results of the unit; none for candidates that stop. What is printed meanwhile is kept for them."""
        if self._bench is None:
            raise RuntimeError("the evaluator was not started")
        began, left = time.monotonic(), [candidate.id for candidate in unit.candidates]
        results = evaluate(self._bench, unit, self._context)
        self._printed.begin(unit, self._context)
        try:
            while (result := self._heard(results)) is not None:
                left.remove(result.id)
                if not left:
                    self._pace.learn(unit, self._environment, time.monotonic() - began)
                yield result
        except Halted as halted:
            self._ended = self._ended.and_halted(left, halted.within)
            self._pace.learn(unit, self._environment, epoch=halted.seconds)
        finally:
            self._printed.end()

    def _heard(self, results: Iterator[Result]) -> Result | None:
        """The next result; None where there is none left."""
        with self._listening:
            return next(results, None)

    def close(self) -> None:
        """Drops what is queued."""
        self._waiting.clear()
        self._running = iter(())
