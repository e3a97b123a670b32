"""Samples of a generative model: points of the plane as dots, images side by side.

Images have one path for each shade, so that a picture of 16 images of 28 x 28 pixels takes about 100 kB.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from math import ceil, sqrt

from evonas_cli.network.samples import LEVELS, Samples
from evonas_cli.report.drawing.axes import BOTTOM, LEFT, RIGHT, frame
from evonas_cli.report.drawing.scale import Bounds, Scale
from evonas_cli.report.drawing.svg import COLOURS, document

SIDE = 260
"""Pixels: the side of the plane, and about that of all images together."""
GREYS, TINTS = 16, 6
"""Shades of grey, and of each of three colours."""
DOT = 3.4
MARGIN = 0.05
Shade = tuple[int, ...]


def draw_samples(samples: Samples, title: str, behind: Samples | None = None) -> str:
    """The picture as one SVG document without references. Of vectors the first two features are drawn, with those of
    `behind` in grey; of images the first channel, or three of them as red, green and blue."""
    return _points(samples, title, behind) if len(samples.shape) == 1 else _images(samples, title)


def _points(samples: Samples, title: str, behind: Samples | None) -> str:
    low, high = samples.low, samples.high
    ends = [_wider(low[feature], high[feature]) for feature in range(min(2, len(low)))]
    names = ("feature 1", "feature 2" if len(low) > 1 else "place among the samples")
    x, y = Bounds(*ends[0], False), Bounds(*(ends[1] if len(low) > 1 else (0.0, 1.0)), False)
    panel = frame(x, y, names, (0, SIDE + LEFT + RIGHT, 12, SIDE + 12 + BOTTOM))
    body = [*panel.grid(), *panel.axes()]
    for one, css, colour in ((behind, "behind", "#bbb"), (samples, "own", COLOURS[0])):
        if one is not None:
            dots = "".join(_dots(one, panel.x, panel.y))
            look = f'stroke="{colour}" stroke-width="{DOT:g}" stroke-linecap="round" stroke-opacity="0.75"'
            body.append(f'<path class="{css}" d="{dots}" fill="none" {look}/>')
    return document(SIDE + LEFT + RIGHT, SIDE + 16 + BOTTOM, title, body)


def _wider(low: float, high: float) -> tuple[float, float]:
    margin = MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def _dots(samples: Samples, x: Scale, y: Scale) -> Iterator[str]:
    for place, row in enumerate(samples.rows()):
        up = samples.number(1, row[1]) if len(row) > 1 else place / len(samples)
        yield f"M{x(samples.number(0, row[0])):.1f} {y(up):.1f}h.01"


def _images(samples: Samples, title: str) -> str:
    channels, height, width = samples.shape
    columns = max(1, ceil(sqrt(len(samples))))
    paths: dict[Shade, list[str]] = {}
    for place, row in enumerate(samples.rows()):
        left, top = place % columns * (width + 1), place // columns * (height + 1)
        for line in range(height):
            column = 0
            shades = [_shade(row, line * width + at, height * width, channels) for at in range(width)]
            for shade, run in groupby(shades):
                count = len(list(run))
                paths.setdefault(shade, []).append(f"M{left + column} {top + line}h{count}v1h-{count}z")
                column += count
    across, down = columns * (width + 1) - 1, ceil(len(samples) / columns) * (height + 1) - 1
    size = SIDE / across
    body = [f'<g transform="scale({size:.4g})" shape-rendering="crispEdges">']
    body += [f'<path d="{"".join(paths[shade])}" fill="{_colour(shade)}"/>' for shade in sorted(paths)]
    return document(SIDE, down * size, title, [*body, "</g>"], "sheet images")


def _shade(row: bytes, at: int, size: int, channels: int) -> Shade:
    if channels == 3:
        return tuple([round(row[at + channel * size] / LEVELS * (TINTS - 1)) for channel in range(channels)])
    return (round(row[at] / LEVELS * (GREYS - 1)),)


def _colour(shade: Shade) -> str:
    most = GREYS - 1 if len(shade) == 1 else TINTS - 1
    parts = [round(LEVELS * level / most) for level in (shade * 3 if len(shade) == 1 else shade)]
    return "#" + "".join(f"{part:02x}" for part in parts)
