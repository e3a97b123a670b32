"""Learning curves of candidates, one panel per metric, the curves of one candidate in one colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas_cli.report.drawing.axes import frame
from evonas_cli.report.drawing.marks import dot, outside
from evonas_cli.report.drawing.scale import Bounds, bounds
from evonas_cli.report.drawing.sheet import HEIGHT, TOP, WIDTH, Sheet
from evonas_cli.report.drawing.svg import colour, stroke
from evonas_cli.report.drawing.units import axis_title
from evonas_cli.report.learning import LearningCurve

Curves = Mapping[str, LearningCurve]


def draw_curves(
    candidates: Sequence[tuple[str, Curves]],
    metrics: Mapping[str, str | None],
    title: str,
    of: Mapping[str, str] | None = None,
) -> str:
    """The picture of named candidates by metrics, of which each is known of some candidate at some epoch; each metric
    has the direction that is better, or None. `of` says by name what a metric is of."""
    names = [name for name, _ in candidates]
    sheet = Sheet(title, names)
    breadth = WIDTH * (1.0 if len(metrics) == 1 else 1.4) / len(metrics)
    for place, (metric, direction) in enumerate(metrics.items()):
        curves = {number: curves[metric].known() for number, (_, curves) in enumerate(candidates) if metric in curves}
        named = metric, axis_title(metric, direction, (of or {}).get(metric, ""))
        _panel(sheet, curves, named, (place * breadth, (place + 1) * breadth))
    if len(names) == 1:
        sheet.notes.append(f"The curve is that of {names[0]}.")
    return sheet.svg(breadth * len(metrics))


def _panel(
    sheet: Sheet,
    curves: Mapping[int, Sequence[tuple[float, float]]],
    named: tuple[str, str],
    edges: tuple[float, float],
) -> None:
    """Draws the curves of a metric with its name and its title; values that would stretch the axis are cut off at its
    end, and counted."""
    metric, title = named
    points = [point for known in curves.values() for point in known]
    last = [known[-1][1] for known in curves.values() if known]
    at = [x for x, _ in points]
    across = Bounds(min(at), max(at) if max(at) > min(at) else min(at) + 1.0, False, True)
    panel = frame(across, bounds([y for _, y in points], last), ("epoch", title), (*edges, TOP, HEIGHT))
    sheet.body += [*panel.grid(), *panel.axes()]
    for number, known in curves.items():
        places = [(panel.x.clipped(x), panel.y.clipped(y)) for x, y in known]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        sheet.body.append(f'<polyline points="{line}" fill="none" {stroke(number)}/>')
        sheet.body += [dot(panel, x, y, 2, colour(number)) for x, y in known if outside(panel, x, y)]
        if len(places) <= 40:
            sheet.body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{colour(number)}"/>' for x, y in places]
    sheet.note(
        sum(outside(panel, x, y) for x, y in points),
        f"{{}} value of {metric} lies beyond the end of its axis and is drawn at the border.",
        f"{{}} values of {metric} lie beyond the end of their axis and are drawn at the border.",
    )
