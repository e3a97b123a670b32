"""All candidates of runs by their first two objectives, and the Pareto fronts, whose members are named by id."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from evonas_cli.core.types import Objective
from evonas_cli.report.drawing.axes import Frame, frame
from evonas_cli.report.drawing.marks import Labels, dot, outside, thinned
from evonas_cli.report.drawing.scale import bounds
from evonas_cli.report.drawing.sheet import HEIGHT, TOP, WIDTH, Sheet
from evonas_cli.report.drawing.svg import COLOURS, colour, stroke
from evonas_cli.report.drawing.units import axis_title

DOT, MEMBER = 3.0, 5.0
_GREY = "#8a8a8a"


@dataclass(frozen=True)
class Cloud:
    """A run: its successful candidates as (id, first objective, second objective), and the ids of its front."""

    name: str
    points: Sequence[tuple[int, float, float]]
    front: Collection[int]

    def members(self) -> list[tuple[int, float, float]]:
        """The front by the second objective."""
        return sorted((point for point in self.points if point[0] in self.front), key=lambda point: point[2])


def draw_front(
    clouds: Sequence[Cloud], objectives: Sequence[Objective], title: str, of: Mapping[str, str] | None = None
) -> str:
    """The picture: the first objective upwards, the second to the right; `of` says by name what an objective is of.

    Members of a front always lie inside the axes; other candidates that would stretch an axis are marked at its end.
    """
    first, second = objectives[:2]
    members = [member for cloud in clouds for member in cloud.members()]
    points = [point for cloud in clouds for point in cloud.points]
    across = bounds([point[2] for point in points], [member[2] for member in members])
    along = bounds([point[1] for point in points], [member[1] for member in members])
    across_title, along_title = (
        axis_title(one.name, one.direction, (of or {}).get(one.name, "")) for one in (second, first)
    )
    panel = frame(across, along, (across_title, along_title), (0, WIDTH, TOP, HEIGHT))
    sheet = Sheet(title, [cloud.name for cloud in clouds], [*panel.grid(), *panel.axes()])
    beyond = sum(outside(panel, x, y) for _, y, x in points)
    skipped = 0
    for number, cloud in enumerate(clouds):
        fill = _GREY if len(clouds) == 1 else colour(number)
        drawn, step = thinned(len(cloud.points))
        skipped = max(skipped, step)
        shown = [cloud.points[place] for place in drawn]
        sheet.body += [dot(panel, x, y, DOT, fill, 0.6) for id, y, x in shown if id not in cloud.front]
    labels = _fronts(sheet, panel, clouds, objectives)
    if members:
        line = "; the line bounds what the front dominates" if len(objectives) == 2 and len(members) > 1 else ""
        sheet.notes.append(f"Large dots are members of the front, with their ids{line}.")
    sheet.note(
        beyond,
        "{} candidate lies beyond the end of an axis; a triangle at the border stands for it.",
        "{} candidates lie beyond the end of an axis; triangles at the border stand for them.",
    )
    for cloud in clouds:
        if not cloud.front:
            sheet.notes.append(f"No candidate of {cloud.name} satisfies the constraints, so there is no front.")
    sheet.note(labels.left_out, "{} label had no room.", "{} labels had no room.")
    if skipped > 1:
        sheet.notes.append(f"One candidate in {skipped:,} is drawn, and the whole front.")
    if len(objectives) > 2:
        sheet.notes.append(
            f"The front is that of {len(objectives)} objectives, of which two are drawn: a member may look dominated."
        )
    return sheet.svg()


def _fronts(sheet: Sheet, panel: Frame, clouds: Sequence[Cloud], objectives: Sequence[Objective]) -> Labels:
    """Draws each front as a staircase of what it dominates, its members, and their ids."""
    labels = Labels(panel)
    for cloud in clouds:
        for _, y, x in cloud.members():
            labels.block(panel.x(x), panel.y(y), MEMBER)
    for number, cloud in enumerate(clouds):
        members = cloud.members()
        if len(objectives) == 2 and len(members) > 1:
            stairs = " ".join(f"{panel.x(x):.1f},{panel.y(y):.1f}" for x, y in _stairs(members, objectives))
            look = stroke(number, 1.5) if len(clouds) > 1 else f'stroke="{COLOURS[1]}" stroke-width="1.5"'
            sheet.body.append(f'<polyline points="{stairs}" fill="none" {look}/>')
        fill = COLOURS[1] if len(clouds) == 1 else colour(number)
        for id, y, x in members:
            sheet.body.append(dot(panel, x, y, MEMBER, fill))
            words = labels.place(panel.x(x), panel.y(y), str(id))
            sheet.body += [] if words is None else [words]
    return labels


def _stairs(members: Sequence[tuple[int, float, float]], objectives: Sequence[Objective]) -> list[tuple[float, float]]:
    """The members' places as (second, first) and between each two the corner that has the worse value of both."""
    worse = [max if objective.direction == "min" else min for objective in objectives[:2]]
    found: list[tuple[float, float]] = []
    for _, y, x in members:
        if found:
            before_x, before_y = found[-1]
            found.append((worse[1](before_x, x), worse[0](before_y, y)))
        found.append((x, y))
    return found
