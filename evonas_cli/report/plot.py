"""A comparison as a picture: mean best-so-far curves with bootstrap bands, as one SVG file without references.

A comparison by hypervolume of two objectives has the median attainment surfaces in the place of the second axis.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evonas_cli.report.drawing.axes import LEFT, corners, frame
from evonas_cli.report.drawing.scale import Bounds, padded
from evonas_cli.report.drawing.svg import ASIDE, LINE, colour, cut, label, legend, stroke
from evonas_cli.report.drawing.svg import document as svg
from evonas_cli.report.drawing.units import axis_title
from evonas_cli.report.statistics import ALPHA, RANGE, resampling

UNITS = {"trainings": "trainings (number)", "seconds": "time of evaluation (s)", "cost": "cost (unit of the job)"}
WIDTH, HEIGHT, TOP = 960, 430, 54
BAND = f"Bands: 95 % bootstrap interval of the mean over runs; of at most {RANGE} runs the range of their values."
SURFACES = (
    "Right: median attainment surfaces; what lies beyond a line is attained by at least half of the group's runs."
)
POINTS = 200
_DRAWN_RESAMPLES = 999


@dataclass(frozen=True)
class Curve:
    """A group's mean and band at places of the axis; each holds from its place to the next."""

    at: Sequence[float]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def draw(document: Mapping[str, Any]) -> str:
    """The picture of a comparison's document: one panel for each axis that the runs measure, at most two, or one and
    the attainment surfaces."""
    groups, surfaces, of = document["groups"], has_surfaces(document), document["subjects"]
    axes = panels(document)[: 1 if surfaces else 2]
    curves = [[curve(found["runs"], axis) for found in groups] for axis in axes]
    bounds = _value_bounds([one for panel in curves for one in panel])
    title = f"Best {document['metric']} so far, mean over the runs of each group"
    out = [label(LEFT, 22, cut(title, 100), size=14)]
    breadth = WIDTH / (len(axes) + surfaces)
    for place, (axis, panel) in enumerate(zip(axes, curves, strict=True)):
        budget = document["budget"] if axis == document["axis"] else None
        edges = (place * breadth, (place + 1) * breadth)
        metric = axis_title(document["metric"], document["direction"], of.get(document["metric"], ""))
        out += _panel(panel, (UNITS[axis], metric), bounds, edges, budget)
    if surfaces:
        out += _surfaces(document, (WIDTH - breadth, WIDTH))
    out += legend([f"{cut(found['label'], 90)} (n = {found['n']})" for found in groups], LEFT, HEIGHT + 8)
    notes = [*([BAND] if any(found["n"] > 1 for found in groups) else []), *([SURFACES] if surfaces else [])]
    y = HEIGHT + LINE * len(groups) + 12
    for note in notes:
        out.append(label(LEFT, y, note, fill=ASIDE))
        y += LINE
    return svg(WIDTH, y + 4, title, out)


def panels(document: Mapping[str, Any]) -> list[str]:
    """The compared axis, and seconds beside it; trainings where no run has measured seconds."""
    ends = [run["curve"]["end"] for found in document["groups"] for run in found["runs"]]
    wanted = dict.fromkeys(["cost" if document["axis"] == "cost" else "trainings", "seconds", "trainings"])
    return [axis for axis in wanted if all(end[axis] > 0 for end in ends)][:2]


def has_surfaces(document: Mapping[str, Any]) -> bool:
    """Whether the document has attainment surfaces that can be drawn: those of two objectives."""
    return len(document.get("objectives", ())) == 2 and all(one.get("attainment") for one in document["groups"])


def staircase(
    corners: Sequence[Sequence[float]], directions: Sequence[str], end: Sequence[float]
) -> list[tuple[float, float]]:
    """The edge of what the corners attain, up to `end`: points (x, y) in the metrics' units."""
    signs = [-1.0 if direction == "max" else 1.0 for direction in directions]
    losses = sorted(tuple(sign * value for sign, value in zip(signs, corner, strict=True)) for corner in corners)
    last_x, last_y = (sign * value for sign, value in zip(signs, end, strict=True))
    path, level = [], last_y
    for x, y in losses:
        path += [(x, level), (x, y)]
        level = y
    return [(signs[0] * x, signs[1] * y) for x, y in [*path, (last_x, level)]]


def curve(runs: Sequence[Mapping[str, Any]], axis: str) -> Curve:
    """The mean of the runs' best so far, and its bootstrap interval, from where each has a success to where the first
    ends. One run has no band."""
    import numpy

    columns = [(run["curve"][axis], run["curve"]["value"]) for run in runs]
    start = max(at[0] for at, _ in columns)
    end = max(start, min(run["curve"]["end"][axis] for run in runs))
    steps = sorted({place for at, _ in columns for place in at if start <= place <= end} | {end})
    if len(steps) > POINTS:
        steps = [start + (end - start) * k / (POINTS - 1) for k in range(POINTS)]
    table = numpy.array([[values[bisect_right(at, place) - 1] for place in steps] for at, values in columns])
    mean = table.mean(axis=0)
    low = high = mean
    if len(runs) > 1:
        means = resampling(len(runs), _DRAWN_RESAMPLES) @ table
        low, high = numpy.quantile(means, [ALPHA / 2, 1 - ALPHA / 2], axis=0)
    return Curve(steps, mean.tolist(), low.tolist(), high.tolist())


def _value_bounds(curves: Sequence[Curve]) -> Bounds:
    """The range of values shown, bands included."""
    return padded(min(min(c.low) for c in curves), max(max(c.high) for c in curves))


def _panel(
    curves: Sequence[Curve],
    titles: tuple[str, str],
    bounds: Bounds,
    edges: tuple[float, float],
    budget: float | None,
) -> list[str]:
    across = Bounds(0.0, max(c.at[-1] for c in curves), False)
    panel = frame(across, bounds, titles, (*edges, TOP, HEIGHT))
    x, y, bottom = panel.x, panel.y, panel.bottom
    out = panel.grid()
    for number, one in enumerate(curves):
        if one.low == one.high:
            continue
        band = [*corners(one.at, one.high, x, y), *reversed(corners(one.at, one.low, x, y))]
        out.append(f'<polygon points="{" ".join(band)}" fill="{colour(number)}" fill-opacity="0.15"/>')
    for number, one in enumerate(curves):
        points = " ".join(corners(one.at, one.mean, x, y))
        out.append(f'<polyline points="{points}" fill="none" {stroke(number)}/>')
    if budget is not None:
        at = x(min(budget, x.high))
        out.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{bottom}" stroke="{ASIDE}" stroke-dasharray="4 4"/>'
        )
        out.append(label(at, TOP - 6, "equal budget", "end", ASIDE))
    return out + panel.axes()


def _surfaces(document: Mapping[str, Any], edges: tuple[float, float]) -> list[str]:
    """The panel of the median attainment surfaces, up to a little beyond the worst corner."""
    names, directions = list(document["objectives"]), list(document["objectives"].values())
    columns = zip(*[corner for one in document["groups"] for corner in one["attainment"]], strict=True)
    across, up = (padded(min(values), max(values)) for values in columns)
    ends = [b.high if direction == "min" else b.low for b, direction in zip((across, up), directions, strict=True)]
    of = document["subjects"]
    titles = tuple([axis_title(name, own, of.get(name, "")) for name, own in zip(names, directions, strict=True)])
    panel = frame(across, up, (titles[0], titles[1]), (*edges, TOP, HEIGHT))
    out = panel.grid()
    for number, one in enumerate(document["groups"]):
        path = staircase(one["attainment"], directions, ends)
        points = " ".join(f"{panel.x(x):.1f},{panel.y(y):.1f}" for x, y in path)
        out.append(f'<polyline points="{points}" fill="none" {stroke(number)}/>')
    return out + panel.axes()
