"""A comparison as a picture: mean best-so-far curves with bootstrap bands, as one SVG file without references.

A comparison by hypervolume of two objectives has the median attainment surfaces in the place of the second axis.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from evonas_cli.core.display import visible
from evonas_cli.report.statistics import ALPHA, resampling

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito (2008): told apart by people who are colour-blind. Further groups repeat them with dashes."""

DASHES = ("", "7 3", "2 3", "9 3 2 3")
UNITS = {"trainings": "trainings", "seconds": "seconds of evaluation", "cost": "cost (unit of the job)"}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, LINE = 960, 400, 72, 16, 20, 52, 20
POINTS = 200
_DRAWN_RESAMPLES = 999


@dataclass(frozen=True)
class Curve:
    """A group's mean and band at places of the axis; each holds from its place to the next."""

    at: Sequence[float]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class Scale:
    """Values to positions, on a line or on a logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The position in the picture."""
        low, high, value = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)


def draw(document: Mapping[str, Any]) -> str:
    """The picture of a comparison's document: one panel for each axis that the runs measure, at most two, or one and
    the attainment surfaces."""
    groups, surfaces = document["groups"], has_surfaces(document)
    axes = panels(document)[: 1 if surfaces else 2]
    curves = [[curve(found["runs"], axis) for found in groups] for axis in axes]
    bounds = _value_bounds([one for panel in curves for one in panel])
    height = HEIGHT + LINE * len(groups) + 12
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f"<title>{_text(document['metric'])}: best so far</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    breadth = WIDTH / (len(axes) + surfaces)
    for place, (axis, panel) in enumerate(zip(axes, curves, strict=True)):
        budget = document["budget"] if axis == document["axis"] else None
        out += _panel(panel, axis, document["metric"], bounds, (place * breadth, (place + 1) * breadth), budget)
    if surfaces:
        out += _surfaces(document, (WIDTH - breadth, WIDTH))
    for place, found in enumerate(groups):
        y = HEIGHT + LINE * place + 8
        out.append(f'<line x1="{LEFT}" x2="{LEFT + 30}" y1="{y}" y2="{y}" {_stroke(place)}/>')
        text = f"{_cut(found['label'], 100)} (n = {found['n']})"
        out.append(f'<text x="{LEFT + 38}" y="{y + 4}">{_text(text)}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def panels(document: Mapping[str, Any]) -> list[str]:
    """The compared axis, and seconds beside it; trainings where nobody measured seconds."""
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


def _value_bounds(curves: Sequence[Curve]) -> tuple[float, float, bool]:
    """The range of values shown and whether it is logarithmic: where all are positive and span more than a decade."""
    low, high = min(min(c.low) for c in curves), max(max(c.high) for c in curves)
    if low > 0 and high > 10 * low:
        return low / 1.1, high * 1.1, True
    margin = 0.05 * (high - low) or abs(high) * 0.05 or 1.0
    return low - margin, high + margin, False


def _panel(
    curves: Sequence[Curve],
    axis: str,
    metric: str,
    bounds: tuple[float, float, bool],
    place: tuple[float, float],
    budget: float | None,
) -> list[str]:
    x, y = _scales(place, (0.0, max(c.at[-1] for c in curves)), bounds)
    out = _grid(x, y)
    for number, one in enumerate(curves):
        if one.low == one.high:
            continue
        band = [*_corners(one.at, one.high, x, y), *reversed(_corners(one.at, one.low, x, y))]
        colour = COLOURS[number % len(COLOURS)]
        out.append(f'<polygon points="{" ".join(band)}" fill="{colour}" fill-opacity="0.15"/>')
    for number, one in enumerate(curves):
        points = " ".join(_corners(one.at, one.mean, x, y))
        out.append(f'<polyline points="{points}" fill="none" {_stroke(number)}/>')
    if budget is not None:
        at = f"{x(min(budget, x.high)):.1f}"
        out.append(f'<line x1="{at}" x2="{at}" y1="{TOP}" y2="{y.start}" stroke="#555" stroke-dasharray="4 4"/>')
        out.append(f'<text x="{at}" y="{TOP - 6}" text-anchor="end" fill="#555">equal budget</text>')
    return out + _axes(x, y, UNITS[axis], f"mean best {_cut(metric, 30)} so far{' (log scale)' if y.log else ''}")


def _surfaces(document: Mapping[str, Any], place: tuple[float, float]) -> list[str]:
    """The panel of the median attainment surfaces, up to a little beyond the worst corner."""
    names, directions = list(document["objectives"]), list(document["objectives"].values())
    corners = [corner for one in document["groups"] for corner in one["attainment"]]
    ranges = [_padded([corner[k] for corner in corners]) for k in range(2)]
    ends = [high if direction == "min" else low for (low, high), direction in zip(ranges, directions, strict=True)]
    x, y = _scales(place, ranges[0], (*ranges[1], False))
    out = _grid(x, y)
    for number, one in enumerate(document["groups"]):
        path = staircase(one["attainment"], directions, ends)
        points = " ".join(f"{x(across):.1f},{y(up):.1f}" for across, up in path)
        out.append(f'<polyline points="{points}" fill="none" {_stroke(number)}/>')
    return out + _axes(x, y, _text(_cut(names[0], 30)), f"{_cut(names[1], 30)}: median attainment")


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.08 * (high - low) or abs(high) * 0.08 or 1.0
    return low - margin, high + margin


def _scales(
    place: tuple[float, float], across: tuple[float, float], up: tuple[float, float, bool]
) -> tuple[Scale, Scale]:
    """Those of a panel between two edges; the values upwards may be logarithmic."""
    return Scale(*across, place[0] + LEFT, place[1] - RIGHT), Scale(up[0], up[1], HEIGHT - BOTTOM, TOP, up[2])


def _grid(x: Scale, y: Scale) -> list[str]:
    left, right, bottom, out = x.start, x.end, HEIGHT - BOTTOM, []
    for value in ticks(x.low, x.high):
        out.append(f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{TOP}" y2="{bottom}" stroke="#e5e5e5"/>')
        out.append(f'<text x="{x(value):.1f}" y="{bottom + 18}" text-anchor="middle">{tick_text(value)}</text>')
    for value in log_ticks(y.low, y.high) if y.log else ticks(y.low, y.high):
        out.append(f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e5e5e5"/>')
        out.append(f'<text x="{left - 6:.1f}" y="{y(value) + 4:.1f}" text-anchor="end">{tick_text(value)}</text>')
    return out


def _axes(x: Scale, y: Scale, below: str, beside: str) -> list[str]:
    """The two lines of a panel and their titles."""
    bottom, middle = HEIGHT - BOTTOM, (x.start + x.end) / 2
    turn = f"translate({x.start - LEFT + 16:.1f} {(TOP + bottom) / 2:.1f}) rotate(-90)"
    return [
        f'<path d="M{x.start:.1f} {TOP}V{bottom}H{x.end:.1f}" fill="none" stroke="#333"/>',
        f'<text x="{middle:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{below}</text>',
        f'<text transform="{turn}" text-anchor="middle">{_text(beside)}</text>',
    ]


def _corners(at: Sequence[float], values: Sequence[float], x: Scale, y: Callable[[float], float]) -> list[str]:
    """The corners of a curve that holds each value up to the next place."""
    found = [f"{x(at[0]):.1f},{y(values[0]):.1f}"]
    for place in range(1, len(at)):
        here = x(at[place])
        found += [f"{here:.1f},{y(values[place - 1]):.1f}", f"{here:.1f},{y(values[place]):.1f}"]
    return found


def _stroke(number: int) -> str:
    dash = DASHES[number // len(COLOURS) % len(DASHES)]
    return f'stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="2"' + (
        f' stroke-dasharray="{dash}"' if dash else ""
    )


def ticks(low: float, high: float) -> list[float]:
    """About five round values inside the range."""
    if not high > low:
        return [low]
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten inside the range; powers alone where it spans more than three of them."""
    factors = (1, 2, 5) if high / low < 1000 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [m * 10.0**power for power in powers for m in factors if low <= m * 10.0**power <= high]


def tick_text(value: float) -> str:
    """A tick's label: 0.05, 20, 12k, 3M."""
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= scale:
            return f"{value / (1e3 if unit == 'k' else scale):.4g}{unit}"
    return f"{0.0 if abs(value) < 1e-12 else value:.4g}"


def _text(text: str) -> str:
    """Text for XML; characters that it does not allow become escapes."""
    return escape(visible(text))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
