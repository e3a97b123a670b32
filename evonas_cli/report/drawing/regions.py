"""Decision regions: which class a network of two inputs says over the plane, the points of the data, and the network.

The grid is one path for each band of probability, a run of equal cells in a row being one rectangle of the path, so
that a picture of at most 120 cells along a side stays below 400 kB whatever the network says.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from evonas_cli.network.neurons import Neurons
from evonas_cli.network.plane import BANDS, UNKNOWN, Plane, Point
from evonas_cli.report.drawing.architecture import LINKS, neurons_diagram
from evonas_cli.report.drawing.axes import BOTTOM, LEFT, RIGHT, Frame, frame
from evonas_cli.report.drawing.marks import thinned
from evonas_cli.report.drawing.picture import LETTERING, MINUS, PLUS, draw
from evonas_cli.report.drawing.scale import Bounds
from evonas_cli.report.drawing.svg import ASIDE, LINE, breadth, cut, document, label, wrapped

SQUARE, TOP = 440, 40
"""Pixels: the side of the plane, and where it begins."""
BESIDE, TALLEST = 520, 900
"""Pixels: the room for the network beside the plane, across and down."""
LARGEST = 1.3
"""How much a small network is enlarged at most."""
COLOURS = (MINUS, PLUS)
"""Of class 0 and of class 1; links of negative and of positive weight have the same ones."""
FAINTEST, STRONGEST = 0.12, 0.5
"""How opaque a class's colour is at its least and at its most likely band."""
GREY = "#9a9a9a"
RADIUS = 3.0


def draw_regions(plane: Plane, title: str, neurons: Neurons | None = None) -> str:
    """The picture as one SVG document without references; with `neurons` the network stands beside the plane."""
    width, bottom = SQUARE + LEFT + RIGHT, float(TOP + SQUARE + BOTTOM)
    panel = frame(Bounds(*plane.x, False), Bounds(*plane.y, False), plane.names, (0, width, TOP, bottom))
    body = [label(LEFT, 22, cut(title, 60 if neurons is None else 120), size=14)]
    body += [*_grid(plane, panel), *panel.axes(), *_ticks(panel)]
    drawn, step = thinned(len(plane.points))
    for part in ("train", "valid"):
        body += [_point(panel, plane.points[at]) for at in drawn if plane.points[at].part == part]
    notes = ["Dots are training points, rings validation points. The stronger the colour, the more likely the class."]
    if step > 1:
        notes.append(f"One point in {step:,} is drawn.")
    if any(UNKNOWN in row for row in plane.bands):
        notes.append("In the grey cells the network's output is no finite number.")
    if neurons is not None:
        notes.append(LINKS)
        beside, height = _network(neurons, plane.names, width)
        body += beside
        width, bottom = width + BESIDE, max(bottom, TOP + height)
    body += _legend(plane, bottom + 8)
    y = bottom + LINE + 14
    for line in [line for note in notes for line in wrapped(note, width - LEFT - RIGHT)]:
        body.append(label(LEFT, y, line, fill=ASIDE))
        y += LINE
    return document(width, y + 4, title, body)


def tint(band: int) -> tuple[str, float]:
    """The colour of a band, `#rrggbb`, and how opaque it is: the paper below shows through."""
    if band == UNKNOWN:
        return GREY, 1.0
    half = BANDS // 2
    steps = band - half if band >= half else half - 1 - band
    return COLOURS[band >= half], round(FAINTEST + (STRONGEST - FAINTEST) * steps / (half - 1), 3)


def _grid(plane: Plane, panel: Frame) -> list[str]:
    """The cells, in units of cells, upside down as pixels are."""
    paths: dict[int, list[str]] = {}
    rows = len(plane.bands)
    for row, bands in enumerate(reversed(plane.bands)):
        column = 0
        for band, cells in groupby(bands):
            count = len(list(cells))
            paths.setdefault(band, []).append(f"M{column} {row}h{count}v1h-{count}z")
            column += count
    across = (panel.x.end - panel.x.start) / len(plane.bands[0])
    down = (panel.y.start - panel.y.end) / rows
    place = f"translate({panel.x.start:g} {panel.y.end:g}) scale({across:g} {down:g})"
    found = [f'<path class="{_css(band)}" d="{"".join(paths[band])}" {_look(band)}/>' for band in sorted(paths)]
    return [f'<g transform="{place}" shape-rendering="crispEdges">', *found, "</g>"]


def _css(band: int) -> str:
    return "band" if band == UNKNOWN else f"band k{int(band >= BANDS // 2)}"


def _look(band: int) -> str:
    colour, opacity = tint(band)
    return f'fill="{colour}" fill-opacity="{opacity:g}"'


def _ticks(panel: Frame) -> list[str]:
    """The labels of a frame's grid, without its lines, which would lie on the regions."""
    return [element for element in panel.grid() if not element.startswith("<line")]


def _point(panel: Frame, point: Point) -> str:
    at, up, colour = panel.x(point.x), panel.y(point.y), COLOURS[point.label]
    if point.part == "train":
        look = f'r="{RADIUS:g}" fill="{colour}" stroke="#fff" stroke-width="0.8"'
    else:
        look = f'r="{RADIUS - 0.4:g}" fill="#fff" stroke="{colour}" stroke-width="1.3"'
    return f'<circle class="{point.part} k{point.label}" cx="{at:.1f}" cy="{up:.1f}" {look}/>'


def _legend(plane: Plane, y: float) -> list[str]:
    out, x = [], float(LEFT)
    for number, name in enumerate(f"class {cut(name, 30)}" for name in plane.classes):
        place = f'x="{x:.1f}" y="{y - 6:.1f}" width="12" height="12" rx="3"'
        out.append(f'<rect class="k{number}" {place} fill="{COLOURS[number]}"/>')
        out.append(label(x + 18, y + 4, name))
        x += breadth(name) + 48
    return out


def _network(neurons: Neurons, names: Sequence[str], left: float) -> tuple[list[str], float]:
    """The network, as large as its room allows, and its height."""
    drawn = draw(neurons_diagram(neurons, names))
    size = min(LARGEST, BESIDE / drawn.width, TALLEST / drawn.height)
    x, y = left + (BESIDE - drawn.width * size) / 2, TOP + max(0.0, SQUARE - drawn.height * size) / 2
    place = f"translate({x:.1f} {y:.1f}) scale({size:.4g})"
    return [f'<g class="network" transform="{place}" {LETTERING}>', *drawn.body, "</g>"], drawn.height * size
