"""The history of searches: each candidate over the trainings so far, and the best value found until then."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evonas_cli.report.curves import Track
from evonas_cli.report.drawing.axes import corners, frame
from evonas_cli.report.drawing.marks import dot, outside, thinned
from evonas_cli.report.drawing.scale import Bounds, bounds
from evonas_cli.report.drawing.sheet import HEIGHT, TOP, WIDTH, Sheet
from evonas_cli.report.drawing.svg import colour, stroke
from evonas_cli.report.drawing.units import axis_title

_DOT = 2.5


def draw_history(tracks: Sequence[tuple[str, Track]], title: str) -> str:
    """The picture of named tracks of one metric, of which each has an improvement.

    The best value so far is a line; it always lies inside the axes.
    """
    found = [_points(track) for _, track in tracks]
    best = [track.steps("trainings") for _, track in tracks]
    along = bounds([y for points in found for _, y in points], [y for _, values in best for y in values])
    end = max(track.reached("trainings") for _, track in tracks)
    metric = tracks[0][1]
    titles = ("trainings (number)", axis_title(metric.metric, metric.direction, metric.of))
    panel = frame(Bounds(0.0, end or 1.0, False, True), along, titles, (0, WIDTH, TOP, HEIGHT))
    sheet = Sheet(title, [f"{name}: best so far" for name, _ in tracks], [*panel.grid(), *panel.axes()])
    widest = 1
    for number, points in enumerate(found):
        places, step = thinned(len(points))
        widest = max(widest, step)
        sheet.body += [dot(panel, *points[place], _DOT, colour(number), 0.45) for place in places]
    for number, ((at, values), (_, track)) in enumerate(zip(best, tracks, strict=True)):
        line = corners([*at, track.reached("trainings")], [*values, values[-1]], panel.x, panel.y)
        sheet.body.append(f'<polyline points="{" ".join(line)}" fill="none" {stroke(number)}/>')
    lines = "the line is" if len(tracks) == 1 else "lines are"
    sheet.notes.append(f"A dot is a candidate; {lines} the best value so far.")
    sheet.note(
        sum(outside(panel, x, y) for points in found for x, y in points),
        "{} candidate lies beyond the end of the axis; a triangle at the border stands for it.",
        "{} candidates lie beyond the end of the axis; triangles at the border stand for them.",
    )
    sheet.note(
        sum(len(track) for _, track in tracks) - sum(map(len, found)),
        "{} candidate is not drawn: it failed, broke a constraint or was not trained in full.",
        "{} candidates are not drawn: they failed, broke a constraint or were not trained in full.",
    )
    if widest > 1:
        sheet.notes.append(f"One candidate in {widest:,} is drawn as a dot.")
    return sheet.svg()


def _points(track: Track) -> list[tuple[float, float]]:
    """The candidates that are outcomes: how many trainings there were with each, and its value."""
    return [(x, y) for x, y in zip(track.trainings, track.values, strict=True) if not math.isnan(y)]
