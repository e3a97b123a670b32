"""The hypervolume of a run's front after each told step, against a reference point that stays the same.

The configuration states the reference point, or the first steps fix it. It is then a function of the journal, so a run
that is resumed or folded again has the same one, and nothing has to be stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from evonas_cli.core.fold import Fold
from evonas_cli.core.front import counts, evaluate
from evonas_cli.core.hypervolume import hypervolume, reference_point
from evonas_cli.core.pareto import Point
from evonas_cli.store.records import candidate_in, result_of

FIRST = 10
"""How many candidates fix a reference point where a strategy begins with single ones: one says nothing about ranges."""


class Volume:
    """The hypervolume of the front of one run.

    `read` gives the journal's entry of a candidate. Where the fold has no stated reference, the reference point is that
    of all outcomes told by the end of the first step by which the first population, batch or bracket and one outcome
    have been told (`core.hypervolume.reference_point`); `FIRST` candidates stand for one of a single candidate.
    """

    def __init__(self, read: Callable[[int], Mapping[str, Any]]) -> None:
        self._read = read
        self._reference: tuple[float, ...] | None = None
        self._losses: list[tuple[float, ...]] = []
        self._next, self._step = 0, 0
        self._known: tuple[tuple[Point, ...], float] = ((), 0.0)

    def of(self, fold: Fold[Any]) -> float | None:
        """The hypervolume after the last told step, of the front of the highest fidelity told so far.

        None for a run of one objective, and as long as there is no reference point.
        """
        reference, members = self.reference(fold), fold.front.members
        if reference is None:
            return None
        if self._known[0] != members:
            self._known = (members, hypervolume([losses for _, losses in members], reference))
        return self._known[1]

    def reference(self, fold: Fold[Any]) -> tuple[float, ...] | None:
        """The reference point, as losses; None for a run of one objective, and as long as none is fixed.

        Each told entry is read once, step by step, until it is.
        """
        if len(fold.objectives) == 1:
            return None
        self._reference = self._reference or fold.reference
        while self._reference is None and self._next < fold.told_evaluations:
            entry = self._read(self._next)
            if entry["step"] != self._step and self._is_enough(fold):
                break
            self._step, self._next = entry["step"], self._next + 1
            candidate = candidate_in(entry)
            evaluation = evaluate(candidate, result_of(entry), fold.objectives, fold.constraints)
            if counts(candidate.proposal, evaluation) and evaluation.losses is not None:
                self._losses.append(evaluation.losses)
        if self._reference is None and self._is_enough(fold):
            self._reference = reference_point(self._losses)
        return self._reference

    def _is_enough(self, fold: Fold[Any]) -> bool:
        least = fold.strategy.least_evaluations
        return bool(self._losses) and self._next >= (least if least > 1 else FIRST)
