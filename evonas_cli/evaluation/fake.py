"""An evaluator for tests: runs the job in this process, hands results back in a shuffled order, and can break down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Generic, TypeVar

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.protocols import Context, Job
from evonas_cli.core.types import Candidate, Json, Result

G = TypeVar("G")


class Fake(Generic[G]):
    """Delivers in an order drawn from `shuffle_seed`; after `break_after` results it fails like a broken machine."""

    slots = 1

    def __init__(
        self,
        recipe: Callable[[], Job[G]],
        context: Context,
        shuffle_seed: int = 0,
        break_after: int | None = None,
        threads: int = 1,
    ) -> None:
        self._job, self._context = recipe(), context
        self._rng, self._left = Random(shuffle_seed), break_after
        self._waiting: list[Candidate[G]] = []

    def start(self) -> dict[str, Json]:
        """The job's environment."""
        return self._job.environment()

    def submit(self, batch: Sequence[Candidate[G]]) -> None:
        """Queues the batch."""
        self._waiting += batch

    def collect(self) -> list[Result]:
        """One to three results of anything submitted. Raises EnvironmentFailure when the breakdown is due."""
        chosen: list[Candidate[G]] = []
        for _ in range(min(self._rng.randint(1, 3), len(self._waiting))):
            if self._left == 0:
                break
            chosen.append(self._waiting.pop(self._rng.randrange(len(self._waiting))))
            self._left = None if self._left is None else self._left - 1
        if not chosen:
            raise EnvironmentFailure("the fake evaluator broke down as it was told to; resume the run")
        return [result for candidate in chosen for result in self._job([candidate], self._context)]

    def close(self) -> None:
        """Drops what is queued."""
        self._waiting.clear()
