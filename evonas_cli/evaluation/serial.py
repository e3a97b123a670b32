"""Evaluates in this process, one ask after the other, and hands back each result as soon as it is there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from evonas_cli.core.protocols import Context, Job
from evonas_cli.core.types import Candidate, Json, Result

G = TypeVar("G")


class Serial(Generic[G]):
    """The evaluator without processes: for cheap jobs and for debugging. `recipe` makes the job."""

    slots = 1

    def __init__(self, recipe: Callable[[], Job[G]], context: Context, threads: int = 1) -> None:
        self._recipe, self._context = recipe, context
        self._job: Job[G] | None = None
        self._waiting: deque[Sequence[Candidate[G]]] = deque()
        self._running: Iterator[Result] = iter(())

    def start(self) -> dict[str, Json]:
        """Makes the job and returns its environment."""
        self._job = self._recipe()
        return self._job.environment()

    def submit(self, batch: Sequence[Candidate[G]]) -> None:
        """Queues the batch."""
        self._waiting.append(batch)

    def collect(self) -> list[Result]:
        """The next result of the oldest batch. Raises RuntimeError before `start`, IndexError when there is none."""
        if self._job is None:
            raise RuntimeError("the evaluator was not started")
        while True:
            for result in self._running:
                return [result]
            self._running = self._job(self._waiting.popleft(), self._context)

    def close(self) -> None:
        """Drops what is queued."""
        self._waiting.clear()
        self._running = iter(())
