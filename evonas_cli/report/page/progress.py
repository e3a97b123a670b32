"""How a run went on: its best value so far and the hypervolume of its front, over trainings and over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from evonas_cli.core.pareto import Front
from evonas_cli.report.page.rows import Row, Rows

MARGIN = 0.1
"""By which share of its range the reference point lies beyond the worst value of each objective."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The best and the worst loss of each objective over the candidates that count."""

    best: tuple[float, ...]
    worst: tuple[float, ...]

    def scaled(self, losses: Sequence[float]) -> list[float]:
        """The losses with 0 for the best and 1 for the worst value; an objective of one value only has 0."""
        return [
            (loss - best) / (worst - best) if worst > best else 0.0
            for loss, best, worst in zip(losses, self.best, self.worst, strict=True)
        ]


def bounds_of(rows: Iterable[Row]) -> Bounds | None:
    """The bounds of all candidates that count; None where there is none."""
    losses = [row.losses for row in rows if row.counts and row.losses is not None]
    if not losses:
        return None
    columns = list(zip(*losses, strict=True))
    return Bounds(tuple(map(min, columns)), tuple(map(max, columns)))


def best_so_far(rows: Rows, name: str) -> dict[str, dict[str, list[float]]]:
    """The places at which the first objective improved, by axis: trainings in the order of ids, seconds in the order of
    arrival. Each axis has `at`, `id` and `value`, the latter in the metric's own unit, and `end`, the run's last place.
    """
    found = {}
    for axis, ordered in _orders(rows).items():
        best: float | None = None
        steps: dict[str, list[float]] = {"at": [], "id": [], "value": []}
        for at, row in ordered:
            if row.counts and row.losses is not None and (best is None or row.losses[0] < best):
                best = row.losses[0]
                steps["at"].append(at)
                steps["id"].append(row.id)
                steps["value"].append(row.metrics[name])
        found[axis] = {**steps, "end": [ordered[-1][0]] if ordered else []}
    return found


def hypervolume(rows: Rows, bounds: Bounds) -> dict[str, dict[str, list[float]]]:
    """The hypervolume of the front so far as a share of the box between the best and the reference point.

    Zitzler and Thiele (1998), "Multiobjective optimization using evolutionary algorithms". Each objective is scaled to
    [0, 1] by `bounds`; the reference point is 1 + MARGIN in each. The axes are those of `best_so_far`.
    """
    import moocore
    import numpy

    found = {}
    for axis, ordered in _orders(rows).items():
        front = Front()
        steps: dict[str, list[float]] = {"at": [], "value": []}
        for at, row in ordered:
            if row.counts and row.losses is not None and front.add(row.id, bounds.scaled(row.losses)):
                points = numpy.array([losses for _, losses in front.members])
                share = moocore.hypervolume(points, ref=1 + MARGIN) / (1 + MARGIN) ** points.shape[1]
                steps["at"].append(at)
                steps["value"].append(float(share))
        found[axis] = {**steps, "end": [ordered[-1][0]] if ordered else []}
    return found


def logged_hypervolume(rows: Rows, figures: Sequence[dict[str, Any]]) -> dict[str, dict[str, list[float]]] | None:
    """The hypervolume that the strategy logged, if it did, in the strategy's own unit and against its own reference."""
    lines = [line for line in figures if isinstance(line.get("hypervolume"), int | float)]
    if not lines:
        return None
    latest, reached = [0.0], 0.0
    for row in rows.all:
        reached = max(reached, row.elapsed)
        latest.append(reached)
    trainings = [0, *(row.trainings for row in rows.all)]
    counts = [min(int(line["evaluations"]), len(rows.all)) for line in lines]
    values = [float(line["hypervolume"]) for line in lines]
    return {
        "trainings": {"at": [trainings[count] for count in counts], "value": values, "end": [trainings[-1]]},
        "seconds": {"at": [latest[count] for count in counts], "value": values, "end": [latest[-1]]},
    }


def _orders(rows: Rows) -> dict[str, list[tuple[float, Row]]]:
    by_time = sorted(rows.all, key=lambda row: (row.elapsed, row.id))
    return {
        "trainings": [(row.trainings, row) for row in rows.all],
        "seconds": [(row.elapsed, row) for row in by_time],
    }
