"""The species of a population over the generations, or its clusters: how many members each has, as stacked areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.report.drawing.scale import Scale
from evonas_cli.report.page import charts
from evonas_cli.report.page.figures import POINTS, thinned

MOST = 40
"""Species drawn by themselves, those with most members over all generations; all others are one area."""
COLOURS = 8
LABELLED = 16.0
"""Height, in units of the chart, from which a species has its name written into its area where that is highest."""
LETTER = 7.0
"""Width of a letter of such a name with some room, in units of the chart."""


def species(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each population of which the logged figures have sizes of species (by id) or of clusters (best
    first): `of`, the generations `at`, and `sizes`, a list as long for each species in the order of its first
    generation; `rest` are the members of species beyond MOST.

    Long runs are thinned to POINTS generations, the first and the last included.
    """
    found: dict[str, list[tuple[float, dict[str, int]]]] = {}
    for number, line in enumerate(thinned(lines, POINTS)):
        at = line.get("generation", line.get("step", number))
        for name, group in {
            "": line,
            **{name: value for name, value in line.items() if isinstance(value, Mapping)},
        }.items():
            for kind, sizes in _sizes(group):
                found.setdefault(f"{kind} of {name}" if name else kind, []).append((float(at), sizes))
    return [_columns(name, points) for name, points in found.items() if len(points) > 1]


def _sizes(group: Mapping[str, Any]) -> list[tuple[str, dict[str, int]]]:
    """What a group of figures has of sizes, none where it has none."""
    found = []
    members, clusters = group.get("species"), group.get("clusters")
    if isinstance(members, Mapping) and all(type(size) is int for size in members.values()):
        found.append(("species", dict(members)))
    if isinstance(clusters, list) and all(isinstance(one, Mapping) and "size" in one for one in clusters):
        found.append(("clusters", {str(place): one["size"] for place, one in enumerate(clusters, 1)}))
    return found


def _columns(name: str, points: Sequence[tuple[float, dict[str, int]]]) -> dict[str, Any]:
    totals: dict[str, int] = {}
    for _, sizes in points:
        for id, size in sizes.items():
            totals[id] = totals.get(id, 0) + size
    order = list(totals)
    kept = set(sorted(order, key=lambda id: (-totals[id], order.index(id)))[:MOST])
    return {
        "of": name,
        "at": [at for at, _ in points],
        "sizes": {id: [sizes.get(id, 0) for _, sizes in points] for id in order if id in kept},
        "rest": [sum(size for id, size in sizes.items() if id not in kept) for _, sizes in points],
        "n_rest": len(order) - len(kept),
    }


def areas(found: Mapping[str, Any], label: str) -> str:
    """The chart of an entry: the eldest species at the bottom, each with one of COLOURS colours in turn.

    A species bears its name where its area is high enough. Each area has its name as a title, which a browser shows
    under the pointer.
    """
    at, size = found["at"], charts.HALF
    layers = [(f"o{place % COLOURS}", id, sizes) for place, (id, sizes) in enumerate(found["sizes"].items())]
    if found["n_rest"]:
        layers.append(("rest", f"{found['n_rest']} others", found["rest"]))
    highest = max(map(sum, zip(*[sizes for _, _, sizes in layers], strict=True)))
    x = Scale(min(at), max(max(at), min(at) + 1), *size.across, False, True)
    y = charts.scale([highest], *size.up, zero=True)
    out = [*charts.opening(size, label), *charts.frame(size, x, y, ("generation", "members (number)"))]
    below, names = [0] * len(at), list[str]()
    for css, name, sizes in layers:
        above = [low + own for low, own in zip(below, sizes, strict=True)]
        out += [_area(css, name, points) for points in _spells(at, below, above, x, y)]
        names += _name(name, [(x(one), y(low), y(high)) for one, low, high in zip(at, below, above, strict=True)])
        below = above
    return "\n".join([*out, *names, "</svg>"])


def _name(name: str, edges: Sequence[tuple[float, float, float]]) -> list[str]:
    """The text element of the name, at the first of the places where the area is highest; none for an area that is low
    everywhere. `edges` has one entry for each generation: the position along the x axis, and the positions of the
    area's lower and upper edge."""
    half = LETTER * len(name) / 2
    start, end = edges[0][0] + half, edges[-1][0] - half
    inside = [edge for edge in edges if start <= edge[0] <= end] or edges
    at, low, high = max(inside, key=lambda edge: edge[1] - edge[2])
    if low - high < LABELLED:
        return []
    at = min(max(at, start), end)
    return [f'<text class="count" x="{at:.1f}" y="{(low + high) / 2 + 4:.1f}">{charts.text(name)}</text>']


def _spells(
    at: Sequence[float], below: Sequence[int], above: Sequence[int], x: Scale, y: Scale
) -> list[list[tuple[float, float]]]:
    """The outlines of a species: one for each spell of generations in which it has members, with one beside it."""
    alive = [low < high for low, high in zip(below, above, strict=True)]
    found, place = [], 0
    while place < len(at):
        if not alive[place]:
            place += 1
            continue
        first = place
        while place < len(at) and alive[place]:
            place += 1
        span = range(max(0, first - 1), min(len(at), place + 1))
        upper = [(x(at[k]), y(above[k])) for k in span]
        lower = [(x(at[k]), y(below[k])) for k in reversed(span)]
        found.append([*upper, *lower])
    return found


def _area(css: str, name: str, points: Sequence[tuple[float, float]]) -> str:
    outline = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="area {css}" d="M{outline}Z"><title>{charts.text(name)}</title></path>'
