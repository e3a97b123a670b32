"""What a pool tries next of a unit that a worker did not finish: halves, the same again, narrower programs, nothing."""

from __future__ import annotations

from typing import Any, TypeVar

from evonas_cli.core.types import Failure, Unit

G = TypeVar("G")


class Retries:
    """Remembers what candidates have cost a pool. `suspects` are those that are sent alone from now on.

    A candidate may lose `attempts` workers; one that held too much memory, which others before it may have left in its
    worker, is tried once more.
    """

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._lost: dict[int, int] = {}
        self._large: set[int] = set()
        self.suspects: set[int] = set()

    def after_loss(self, unit: Unit[G]) -> list[Unit[G]]:
        """Of a unit whose worker is lost: several candidates in halves; one again, and once more in a narrower program;
        nothing for a candidate that was alone when it lost too many workers."""
        self._suspect(unit)
        if len(unit.candidates) > 1:
            return unit.bisected()
        id = unit.candidates[0].id
        self._lost[id] = self._lost.get(id, 0) + 1
        if self._lost[id] < self._attempts:
            return [unit]
        self._lost[id] = 0
        return unit.narrowed() if unit.width > 1 else []

    def after_excess(self, unit: Unit[G], failure: Failure) -> list[Unit[G]]:
        """Of a unit that exceeded a limit: several candidates in halves; one that held too much memory once more alone,
        and then in a narrower program; else nothing."""
        self._suspect(unit)
        if len(unit.candidates) > 1:
            return unit.bisected()
        if failure.kind != "oom":
            return []
        id = unit.candidates[0].id
        if id not in self._large:
            self._large.add(id)
            return [unit]
        self._large.discard(id)
        return unit.narrowed() if unit.width > 1 else []

    def done(self, id: int) -> None:
        """The candidate has a result: nothing more is remembered of it."""
        self._lost.pop(id, None)
        self._large.discard(id)
        self.suspects.discard(id)

    def _suspect(self, unit: Unit[Any]) -> None:
        self.suspects.update(candidate.id for candidate in unit.candidates)
