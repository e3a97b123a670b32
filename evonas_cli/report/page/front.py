"""The chart of the front: every candidate by two metrics, of which the page's script can choose others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evonas_cli.core.pareto import Front
from evonas_cli.report.drawing.scale import Scale
from evonas_cli.report.page.charts import BEYOND, BOTTOM, LEFT, RIGHT, TOP, Size, frame, logarithm, opening, scale

SIZE = Size(700, 498)


@dataclass(frozen=True, slots=True)
class Shown:
    """A run as the page shows it: its columns with the candidates kept, by index which stand on its front, and whether
    it has several objectives, without which its best candidate is all of the front."""

    columns: Mapping[str, Any]
    front: frozenset[int]
    several: bool

    def metric(self, name: str) -> Sequence[float | None]:
        """The metric of each candidate; None for each where the run has no such metric."""
        found: Sequence[float | None] = self.columns["metrics"].get(name, [None] * len(self.columns["id"]))
        return found

    def css(self, index: int) -> str:
        """`f` for a member of the front, `d` for another that could have been, `n` for one that could not."""
        return "f" if index in self.front else "d" if self.columns["counts"][index] else "n"


def leading(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run whose objectives charts of several runs have: the first one with a value of its first objective, for
    there is nothing to draw of a run without one; the first run where there is none."""
    runs: Sequence[Mapping[str, Any]] = document["runs"]
    for run in runs:
        values = run["candidates"]["metrics"].get(run["objectives"][0], ())
        if any(value is not None for value in values):
            return run
    return runs[0]


def axes_of(document: Mapping[str, Any]) -> tuple[str, str]:
    """The metrics on the x and the y axis at first: the second and the first objective of the `leading` run.

    A run with one objective has another metric on the x axis: the first that is not the same for all candidates.
    """
    objectives = leading(document)["objectives"]
    known = {
        name: {value for run in document["runs"] for value in run["candidates"]["metrics"].get(name, ())} - {None}
        for name in document["metrics"]
        if name != objectives[0]
    }
    others = sorted([name for name in known if known[name]], key=lambda name: len(known[name]) == 1)
    return (objectives[1] if len(objectives) > 1 else others[0] if others else objectives[0]), objectives[0]


def range_of(runs: Sequence[Shown], name: str, direction: str) -> Scale:
    """The range of a metric's axis from 0 to 1: all successes without outliers, and all members of fronts.

    Failures, of which a size may be known and nothing else, count only where no success has the metric.
    """
    found = [pair for run in runs for pair in zip(run.metric(name), run.columns["status"], strict=True)]
    known = [(value, status) for value, status in found if value is not None]
    values = [value for value, status in known if status == "ok"] or [value for value, _ in known]
    members = [value for run in runs for index in run.front if (value := run.metric(name)[index]) is not None]
    return scale(values, 0.0, 1.0, log=logarithm(direction), keep=members)


def chart(runs: Sequence[Shown], axes: tuple[str, str], directions: tuple[str, str], titles: tuple[str, str]) -> str:
    """The chart, whose axes have these titles: a dot for each candidate with both metrics, and for runs with several
    objectives a staircase through those not dominated in them. Outliers lie at the border (BEYOND). "" where no
    candidate has both metrics, for then there is nothing to draw."""
    points = [_points(run, axes) for run in runs]
    if not any(points):
        return ""
    x, y = (
        replace(range_of(runs, name, direction), start=ends[0], end=ends[1])
        for name, direction, ends in zip(axes, directions, (SIZE.across, SIZE.up), strict=True)
    )
    extra = f' id="front" data-box="{LEFT:g} {SIZE.width - RIGHT:g} {SIZE.height - BOTTOM:g} {TOP:g}"'
    out = [*opening(SIZE, f"{axes[1]} against {axes[0]}", extra), *frame(SIZE, x, y, titles), '<g class="stairs">']
    for number, (run, own) in enumerate(zip(runs, points, strict=True)):
        stairs = _stairs(run, own, directions, x, y) if run.several else ""
        out.append(f'<path class="line r{number}" d="{stairs}"/>')
    out.append('</g><g class="dots">')
    for number, (run, own) in enumerate(zip(runs, points, strict=True)):
        for index in sorted(range(len(run.columns["id"])), key=lambda index: (index in run.front, index)):
            at = own.get(index)
            place = 'visibility="hidden"' if at is None else f'cx="{x.clipped(at[0]):.1f}" cy="{y.clipped(at[1]):.1f}"'
            beyond = "" if at is None or (x.holds(at[0]) and y.holds(at[1])) else f" {BEYOND}"
            if any(values[index] is not None for values in run.columns["metrics"].values()):
                out.append(
                    f'<circle class="{run.css(index)} r{number}{beyond}" data-k="{number}:{index}" {place} '
                    f'r="{4.5 if index in run.front else 3}"/>'
                )
    return "\n".join([*out, "</g></svg>"])


def _points(run: Shown, axes: tuple[str, str]) -> dict[int, tuple[float, float]]:
    return {
        index: (a, b)
        for index, (a, b) in enumerate(zip(run.metric(axes[0]), run.metric(axes[1]), strict=True))
        if a is not None and b is not None
    }


def _stairs(
    run: Shown, points: Mapping[int, tuple[float, float]], directions: tuple[str, str], x: Scale, y: Scale
) -> str:
    """The border of what the candidates that count dominate, in the two metrics of the chart; directions "" are min."""
    signs = [-1.0 if direction == "max" else 1.0 for direction in directions]
    front = Front()
    for index, point in points.items():
        if run.columns["counts"][index]:
            front.add(index, [sign * value for sign, value in zip(signs, point, strict=True)])
    out: list[str] = []
    for index, _ in front.members:
        at = f"{x.clipped(points[index][0]):.1f}", f"{y.clipped(points[index][1]):.1f}"
        out.append(f"H{at[0]}V{at[1]}" if out else f"M{at[0]} {at[1]}")
    return "".join(out)
