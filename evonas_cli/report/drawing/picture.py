"""A diagram as SVG. Colours are attributes, so that a page's own style sheet can replace them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple
from xml.sax.saxutils import escape

from evonas_cli.core.display import visible
from evonas_cli.report.drawing.diagram import Box, Diagram, Kind, Repeat
from evonas_cli.report.drawing.layers import Placed, place

LETTER, LINE, PAD, DOWN, MARGIN = 6.1, 14.0, 7.0, 24.0, 14.0
LONGEST, MOST = 30, 3
"""Characters of a line in a box, and lines of a text."""
FILLS: dict[Kind, str] = {
    "end": "#e8eaee",
    "layer": "#d6e6f7",
    "pool": "#d9f0e3",
    "merge": "#fdecc8",
    "other": "#f4f1f8",
}
INK, MUTED, EDGE, PAPER = "#1c2430", "#5b6675", "#7d8896", "#ffffff"
FITTING = 1400
"""Pixels up to which a drawing that is wider than a page may be made smaller, so that all of it is seen at once."""
LETTERING = 'font-family="system-ui,sans-serif" font-size="11"'
PLUS, MINUS = "#0072b2", "#d55e00"
"""Arrows of positive and of negative weights."""
THIN, THICK = 0.6, 4.5
"""Widths of arrows whose weight is 0, and the largest of the picture."""


class _Look(NamedTuple):
    """Classes of an arrow's line and head, its colour, and its width."""

    line: str
    head: str
    stroke: str
    width: float


class _Area(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float


class Drawn(NamedTuple):
    """The elements of a drawing, and the size that they take."""

    width: float
    height: float
    body: tuple[str, ...]


def svg(diagram: Diagram, title: str, titled: bool = False, note: str = "") -> str:
    """The diagram as one SVG document, drawn downwards; `title` is its name for a screen reader, and stands above the
    diagram where `titled`. A note stands below the diagram."""
    drawn = draw(diagram)
    return _document(_noted(drawn, note) if note else drawn, title, titled)


def beside(diagrams: Sequence[tuple[str, Diagram]], title: str) -> str:
    """Named diagrams beside each other as one SVG document, each below its name, and all of them below the title."""
    found, left, body = [draw(diagram) for _, diagram in diagrams], 0.0, list[str]()
    for (name, _), drawn in zip(diagrams, found, strict=True):
        body.append(f'<text x="{left + MARGIN:.0f}" y="20" font-size="13" fill="{INK}">{_text(name)}</text>')
        body += [f'<g transform="translate({left:.0f} {DOWN:g})">', *drawn.body, "</g>"]
        left += max(drawn.width, 2 * MARGIN + 1.2 * LETTER * len(name))
    return _document(Drawn(left, DOWN + max(drawn.height for drawn in found), tuple(body)), title, True)


def _noted(drawn: Drawn, note: str) -> Drawn:
    """The drawing above a line of text."""
    y = drawn.height + LINE
    foot = f'<text class="shape" x="{MARGIN:g}" y="{y:.0f}" font-size="11" fill="{MUTED}">{_text(note)}</text>'
    return Drawn(max(drawn.width, 2 * MARGIN + LETTER * len(note)), y + MARGIN / 2, (*drawn.body, foot))


def _titled(drawn: Drawn, title: str) -> Drawn:
    """The drawing below its title."""
    head = f'<text x="{MARGIN:g}" y="22" font-size="14" fill="{INK}">{_text(title)}</text>'
    width = max(drawn.width, 2 * MARGIN + 1.25 * LETTER * len(title))
    body = (head, f'<g transform="translate(0 {DOWN:g})">', *drawn.body, "</g>")
    return Drawn(width, DOWN + drawn.height, body)


def _document(drawn: Drawn, title: str, titled: bool) -> str:
    drawn = _titled(drawn, title) if titled else drawn
    css = "drawing fit" if drawn.width <= FITTING else "drawing"
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{css}" viewBox="0 0 {drawn.width:.0f} {drawn.height:.0f}" '
        f'width="{drawn.width:.0f}" height="{drawn.height:.0f}" {LETTERING} role="img">',
        f"<title>{_text(title)}</title>",
        f'<rect class="paper" width="{drawn.width:.0f}" height="{drawn.height:.0f}" fill="{PAPER}"/>',
    ]
    return "\n".join([*out, *drawn.body, "</svg>"]) + "\n"


def draw(diagram: Diagram) -> Drawn:
    """The elements of `svg`, for a picture that has more in it; LETTERING is for the element around them."""
    cut = [_wrapped(box) for box in diagram.boxes]
    widths, heights = [_width(box) for box in cut], [_height(box) for box in cut]
    placed = place(widths, diagram.arrows)
    areas, tops, bottoms = _areas(placed, widths, heights)
    frames = [_frame(repeat, areas, placed) for repeat in diagram.repeats]
    right = max([area.right for area in areas] + [area.right + 40 for area in frames]) + MARGIN
    right = max(right, max(placed.x) + 2 * MARGIN)
    out: list[str] = []
    for repeat, area in zip(diagram.repeats, frames, strict=True):
        out += _repeat(repeat, area)
    for route, look in zip(placed.routes, _looks(diagram), strict=True):
        out.append(_arrow(route, look, placed, areas, tops, bottoms))
    for box, area in zip(cut, areas, strict=True):
        out += _box(box, area)
    return Drawn(right, bottoms[-1] + MARGIN, tuple(out))


def _areas(
    placed: Placed, widths: Sequence[float], heights: Sequence[float]
) -> tuple[list[_Area], list[float], list[float]]:
    """The area of each box, and top and bottom of each row."""
    tops, bottoms, y = [], [], MARGIN
    areas: dict[int, _Area] = {}
    for row in placed.rows:
        tall = max([heights[p] for p in row if p < len(heights)], default=LINE)
        for p in row:
            if p < len(heights):
                x, top = placed.x[p] + MARGIN, y + (tall - heights[p]) / 2
                areas[p] = _Area(x - widths[p] / 2, top, x + widths[p] / 2, top + heights[p])
        tops.append(y)
        bottoms.append(y + tall)
        y += tall + DOWN
    return [areas[p] for p in range(len(heights))], tops, bottoms


def _box(box: Box, area: _Area) -> list[str]:
    width, height = area.right - area.left, area.bottom - area.top
    middle = (area.left + area.right) / 2
    out = [
        f'<rect class="box {box.kind}" x="{area.left:.1f}" y="{area.top:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="5" fill="{FILLS[box.kind]}" stroke="{EDGE}"/>'
    ]
    y = area.top + PAD + 10
    for line in box.lines:
        out.append(f'<text x="{middle:.1f}" y="{y:.1f}" text-anchor="middle" fill="{INK}">{_text(line)}</text>')
        y += LINE
    if box.note:
        out.append(
            f'<text class="shape" x="{middle:.1f}" y="{y:.1f}" text-anchor="middle" font-size="9.5" '
            f'fill="{MUTED}">{_text(box.note)}</text>'
        )
    return out


def _looks(diagram: Diagram) -> list[_Look]:
    """How each arrow looks; the width of a weighted one grows with the root of its weight's share of the largest."""
    if not diagram.weights:
        return [_Look("arrow", "head", EDGE, 1.3)] * len(diagram.arrows)
    largest = max(map(abs, diagram.weights)) or 1.0
    found = []
    for weight in diagram.weights:
        sign, stroke = ("plus", PLUS) if weight >= 0 else ("minus", MINUS)
        found.append(
            _Look(f"weight {sign}", f"tip {sign}", stroke, THIN + (THICK - THIN) * sqrt(abs(weight) / largest))
        )
    return found


def _arrow(
    route: Sequence[int],
    look: _Look,
    placed: Placed,
    areas: Sequence[_Area],
    tops: Sequence[float],
    bottoms: Sequence[float],
) -> str:
    """A curve from the bottom of the first box to the top of the last, straight down through bends."""
    row = next(k for k, points in enumerate(placed.rows) if route[0] in points)
    x, y = placed.x[route[0]] + MARGIN, areas[route[0]].bottom
    path = [f"M{x:.1f} {y:.1f}"]
    for p in route[1:]:
        row += 1
        last = p == route[-1]
        to, top = placed.x[p] + MARGIN, areas[p].top - 4 if last else tops[row]
        if abs(to - x) < 0.5:
            path.append(f"V{top:.1f}")
        else:
            middle = (y + top) / 2
            path.append(f"C{x:.1f} {middle:.1f} {to:.1f} {middle:.1f} {to:.1f} {top:.1f}")
        x, y = to, top
        if not last:
            y = bottoms[row]
            path.append(f"V{y:.1f}")
    head = f"M{x - 3.5:.1f} {y - 2:.1f}l3.5 5.5l3.5 -5.5z"
    return (
        f'<path class="{look.line}" d="{"".join(path)}" fill="none" stroke="{look.stroke}" '
        f'stroke-width="{look.width:.3g}"/><path class="{look.head}" d="{head}" fill="{look.stroke}"/>'
    )


def _frame(repeat: Repeat, areas: Sequence[_Area], placed: Placed) -> _Area:
    """The area around the boxes of a repeat and the bends of the arrows that lead to them."""
    own = areas[repeat.first : repeat.last + 1]
    routes = [route for route in placed.routes if repeat.first <= route[-1] <= repeat.last]
    bends = [placed.x[p] + MARGIN for route in routes for p in route[1:-1]]
    return _Area(
        min([area.left for area in own] + bends) - 8,
        min(area.top for area in own) - 9,
        max([area.right for area in own] + bends) + 8,
        max(area.bottom for area in own) + 7,
    )


def _repeat(repeat: Repeat, area: _Area) -> list[str]:
    return [
        f'<rect class="repeat" x="{area.left:.1f}" y="{area.top:.1f}" width="{area.right - area.left:.1f}" '
        f'height="{area.bottom - area.top:.1f}" rx="9" fill="none" stroke="{MUTED}" stroke-dasharray="5 4"/>',
        f'<text class="times" x="{area.right + 7:.1f}" y="{(area.top + area.bottom) / 2 + 5:.1f}" font-size="14" '
        f'font-weight="600" fill="{INK}">\u00d7 {repeat.times}</text>',
    ]


def _width(box: Box) -> float:
    return max(46.0, LETTER * max(map(len, (*box.lines, box.note))) + 2 * PAD)


def _height(box: Box) -> float:
    return LINE * (len(box.lines) + bool(box.note)) + 2 * PAD - 3


def _wrapped(box: Box) -> Box:
    """The box with long lines broken; of a line MOST lines are kept."""
    lines = [part for line in box.lines for part in textwrap.wrap(visible(line), LONGEST, max_lines=MOST) or [""]]
    return Box(tuple(lines), box.kind, textwrap.shorten(visible(box.note), LONGEST))


def _text(text: str) -> str:
    return escape(visible(text))
