"""A search that goes on in this process, where the undisturbed one answers in the place of the evaluator.

Rows about files need no training: what a candidate is given, and how long the training takes, is not what they ask.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from evonas_cli.core.halting import Deadline, Ended
from evonas_cli.core.types import Candidate, Json, Result, Unit
from evonas_cli.run.conduct import conduct
from evonas_cli.run.session import reopen
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal
from evonas_cli.store.records import check_same, result_of
from evonas_cli.torture.ground import Ground


class Answers:
    """An evaluator that gives each candidate the result that the run has recorded. Raises RunError for another one."""

    slots = 1

    def __init__(self, ground: Ground) -> None:
        self._journal, self._space = Journal(ground.whole.journal, write=False), ground.parts.space
        self._environment: dict[str, Json] = ground.whole.metadata()["environment"]
        self._waiting: deque[Candidate[Any]] = deque()

    def start(self) -> dict[str, Json]:
        """The environment that the run has recorded."""
        return self._environment

    def units(self, asked: Sequence[Candidate[Any]]) -> list[Unit[Any]]:
        """Each candidate for itself."""
        return [Unit((candidate,)) for candidate in asked]

    def submit(self, units: Sequence[Unit[Any]]) -> None:
        """Takes what is to be answered."""
        self._waiting += [candidate for unit in units for candidate in unit.candidates]

    def collect(self, deadline: Deadline | None = None) -> list[Result]:
        """The answer to the oldest question."""
        candidate = self._waiting.popleft()
        entry = self._journal.read(candidate.id)
        check_same(candidate, entry, self._space)
        return [result_of(entry)]

    def stop(self) -> Ended:
        """Nothing is under way."""
        return Ended()

    def close(self) -> None:
        """Closes the journal."""
        self._journal.close()


def answered(ground: Ground, run: RunDirectory) -> str:
    """Goes on with the run to its end and compares: `same digest`. Raises RunError, or Differs."""
    session = reopen(run, ground.parts, lambda candidate, result: None)
    try:
        session.evaluator.evaluator = Answers(ground)
        conduct(session)
    finally:
        session.close()
    return ground.compare(run)
