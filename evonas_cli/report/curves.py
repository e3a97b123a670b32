"""What a run had found after how much: its best value so far against trainings, seconds and cost."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from evonas_cli.core.types import Direction

Axis: TypeAlias = Literal["trainings", "seconds", "cost"]
AXES: tuple[Axis, ...] = ("trainings", "seconds", "cost")


def _column() -> array[float]:
    return array("d")


@dataclass
class Track:
    """The evaluations of one run in the order of their ids, as columns.

    `limit` is the run's own budget.cost: the first evaluation whose cost no longer fits it, and all after it, are left
    out, as they are of the run's front. `ended` says that the strategy was done before its budget, `of` what the
    metric is of (`Metric.of`). `values` holds the metric compared, in its own unit, `reports` the one shown beside it;
    both are NaN for what is no outcome of the run: a failure, a candidate of another job or of less than full fidelity,
    one that violates a constraint. `losses` holds those of all objectives where they were given, and None for what is
    no outcome. The columns of the axes, and that of the failures, are cumulated and include their own evaluation.
    """

    metric: str
    direction: Direction
    report: str | None = None
    limit: float | None = None
    values: array[float] = field(default_factory=_column)
    reports: array[float] = field(default_factory=_column)
    losses: list[tuple[float, ...] | None] = field(default_factory=list)
    trainings: array[float] = field(default_factory=_column)
    seconds: array[float] = field(default_factory=_column)
    cost: array[float] = field(default_factory=_column)
    failures: array[float] = field(default_factory=_column)
    closed: bool = False
    ended: bool = False
    of: str = ""

    def add(
        self,
        succeeded: bool,
        metrics: Mapping[str, float],
        seconds: float = 0.0,
        cached: bool = False,
        counts: bool = True,
        losses: tuple[float, ...] | None = None,
    ) -> None:
        """Takes the next evaluation. One from a cache or of a further job is no training (`cached`); a failed one is.

        A success that does not count is no outcome of the run. Raises KeyError when one that counts lacks the metric.
        """
        cost = _last(self.cost) + metrics.get("cost", 0.0)
        self.closed = self.closed or (self.limit is not None and cost > self.limit)
        if self.closed:
            return
        shown = succeeded and counts
        self.values.append(float(metrics[self.metric]) if shown else math.nan)
        self.reports.append(float(metrics.get(self.report, math.nan)) if shown and self.report else math.nan)
        self.losses.append(losses if shown else None)
        self.failures.append(_last(self.failures) + (not succeeded))
        self.trainings.append(_last(self.trainings) + (not cached))
        self.seconds.append(_last(self.seconds) + seconds)
        self.cost.append(cost)

    def __len__(self) -> int:
        return len(self.values)

    def axis(self, name: Axis) -> array[float]:
        """What each evaluation had used up, never falling."""
        column: array[float] = getattr(self, name)
        return column

    def reached(self, name: Axis) -> float:
        """How far the run got. A run that has used up its budget.cost has reached exactly that."""
        if name == "cost" and self.closed and self.limit is not None:
            return self.limit
        return _last(self.axis(name))

    def count(self, name: Axis, budget: float) -> int:
        """How many evaluations a budget covers: the first that does not fit and all after it do not count."""
        return bisect_right(self.axis(name), budget)

    def failed(self, count: int) -> int:
        """How many of the first `count` evaluations failed."""
        return int(self.failures[count - 1]) if count else 0

    def improvements(self) -> list[int]:
        """The evaluations that were better than all before them; the last one within a budget is its incumbent."""
        found: list[int] = []
        for place, value in enumerate(self.values):
            if not math.isnan(value) and (not found or better(value, self.values[found[-1]], self.direction)):
                found.append(place)
        return found

    def incumbent(self, name: Axis, budget: float) -> int | None:
        """The best evaluation within a budget, of equals the first; None when none succeeded."""
        count = self.count(name, budget)
        return max((place for place in self.improvements() if place < count), default=None)

    def steps(self, name: Axis) -> tuple[list[float], list[float]]:
        """The best-so-far curve: where on the axis it steps, and the value from there on."""
        places = self.improvements()
        return [self.axis(name)[place] for place in places], [self.values[place] for place in places]

    def document(self) -> dict[str, Any]:
        """The curve for programs, thinned to the evaluations at which the best so far changes, and its end."""
        places = self.improvements()
        document: dict[str, Any] = {"evaluation": places, "value": [self.values[place] for place in places]}
        for name in AXES:
            document[name] = [self.axis(name)[place] for place in places]
        document["end"] = {"evaluations": len(self)} | {str(name): self.reached(name) for name in AXES}
        return document


def better(a: float, b: float, direction: Direction) -> bool:
    """Whether `a` beats `b`."""
    return a < b if direction == "min" else a > b


def mean_best(track: Track, name: Axis, start: float, end: float) -> float:
    """The area under the best-so-far curve between two places on the axis, divided by their distance.

    The run must have a success at `start`. Where both places are one this is the value there.
    """
    at, values = track.steps(name)
    begun = bisect_right(at, start) - 1
    if end <= start:
        return values[begun]
    inside = [place for place in range(begun + 1, len(at)) if at[place] <= end]
    corners = [start, *(at[place] for place in inside), end]
    heights = [values[begun], *(values[place] for place in inside)]
    widths = (right - left for left, right in zip(corners, corners[1:], strict=False))
    return math.fsum(w * h for w, h in zip(widths, heights, strict=True)) / (end - start)


def _last(column: array[float]) -> float:
    return column[-1] if column else 0.0
