"""Candidates that were handed to an evaluator and have not come back, and how far their trainings are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Result, Training, Unit


class InFlight:
    """The context of a session's evaluator, which hears of its trainings; files are those of `context`.

    One thread tells it of units, results and trainings; others, such as that of a board, may ask meanwhile.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._units: dict[int, tuple[int, ...]] = {}
        self._trainings: dict[int, Training] = {}

    def folder(self, id: int) -> Path | None:
        """That of the context."""
        return self._context.folder(id)

    def report(self, training: Training) -> None:
        """Takes the place of what was reported of the same candidates; of those not in flight nothing is kept."""
        for id in training.ids:
            before = self._trainings.get(id)
            if before is not None and before.ids != training.ids:  # its program was divided
                for other in before.ids:
                    self._trainings.pop(other, None)
        self._trainings.update((id, training) for id in training.ids if id in self._units)

    def submitted(self, units: Sequence[Unit[Any]]) -> None:
        """The units are in flight."""
        for unit in units:
            ids = tuple([candidate.id for candidate in unit.candidates])
            self._units.update((id, ids) for id in ids)

    def returned(self, results: Sequence[Result]) -> None:
        """The candidates of the results are back."""
        for result in results:
            self._units.pop(result.id, None)
            self._trainings.pop(result.id, None)

    def clear(self) -> None:
        """None is in flight any more."""
        self._units.clear()
        self._trainings.clear()

    def units(self) -> list[list[int]]:
        """The ids of candidates in flight, by unit, in the order of submission."""
        under_way = dict(self._units)  # one step, as below: another thread may change it
        units = dict.fromkeys(under_way.values())
        return [[id for id in unit if id in under_way] for unit in units]

    def trainings(self) -> list[Training]:
        """The newest report of each training that has reported, by its first id."""
        found = {training.ids: training for training in list(self._trainings.values())}
        return [found[ids] for ids in sorted(found)]
