"""A layered drawing (Sugiyama, Tagawa and Toda 1981): which row each box is in, their order, and their places.

Rows are longest paths from the first boxes. An arrow over several rows passes a bend in each row between, which takes
room as a box does, so that no arrow runs through a box. The order within rows comes from barycentres. Places are the
least-squares fit to the mean place of the neighbours that keeps the order and the gaps: isotonic regression by pooling
adjacent violators. Bends weigh more than boxes, which straightens long arrows (Gansner, Koutsofios, North and Vo 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

GAP = 22.0
"""Units between the borders of two boxes in a row."""
SWEEPS = 6
WEIGHTS = (1.0, 2.0, 8.0)
"""How strongly two neighbours attract each other when none, one or both of them are bends (Gansner et al.)."""


@dataclass(frozen=True, slots=True)
class Placed:
    """`rows[k]` has the points of row k from left to right; `x` has the middle of each point. Points below the number
    of boxes are boxes, all others are bends. `routes` has the points that each arrow passes, its ends included."""

    rows: tuple[tuple[int, ...], ...]
    x: tuple[float, ...]
    routes: tuple[tuple[int, ...], ...]


def place(widths: Sequence[float], arrows: Sequence[tuple[int, int]], bend: float = 10.0) -> Placed:
    """Rows, order and places of boxes with these widths, in topological order. The leftmost border is at 0."""
    row = _rows(len(widths), arrows)
    sizes, rows, routes = list(widths), list(row), []
    for source, target in arrows:
        bends = list(range(len(sizes), len(sizes) + row[target] - row[source] - 1))
        sizes += [bend] * len(bends)
        rows += range(row[source] + 1, row[target])
        routes.append((source, *bends, target))
    above: list[list[int]] = [[] for _ in sizes]
    below: list[list[int]] = [[] for _ in sizes]
    for route in routes:
        for first, second in zip(route, route[1:], strict=False):
            above[second].append(first)
            below[first].append(second)
    order = _ordered([[p for p in range(len(sizes)) if rows[p] == k] for k in range(max(rows) + 1)], above, below)
    x = _places(order, sizes, len(widths), above, below)
    left = min(x[p] - sizes[p] / 2 for p in range(len(sizes)))
    return Placed(tuple(map(tuple, order)), tuple([value - left for value in x]), tuple(routes))


def _rows(count: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    row = [0] * count
    for source, target in sorted(arrows, key=lambda arrow: arrow[1]):
        row[target] = max(row[target], row[source] + 1)
    return row


def _ordered(rows: list[list[int]], above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> list[list[int]]:
    """The order with the fewest crossings that the sweeps met; of equal ones the first."""
    best, least = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for row in rows if down else reversed(rows):
            at = {p: k for other in rows for k, p in enumerate(other)}
            means = {p: fmean(at[q] for q in neighbours[p]) if neighbours[p] else float(at[p]) for p in row}
            row.sort(key=lambda p: (means[p], at[p]))
        found = _crossings(rows, below)
        if found < least:
            best, least = [list(row) for row in rows], found
    return best


def _crossings(rows: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    total = 0
    for row, following in zip(rows, rows[1:], strict=False):
        at = {p: k for k, p in enumerate(following)}
        ends = [at[q] for p in row for q in sorted(below[p], key=at.__getitem__)]
        total += sum(a > b for k, b in enumerate(ends) for a in ends[:k])
    return total


def _places(
    rows: Sequence[Sequence[int]],
    sizes: Sequence[float],
    n_boxes: int,
    above: Sequence[Sequence[int]],
    below: Sequence[Sequence[int]],
) -> list[float]:
    x = [0.0] * len(sizes)
    for row in rows:
        edge = 0.0
        for p in row:
            x[p] = edge + sizes[p] / 2
            edge += sizes[p] + GAP
        middle = (edge - GAP) / 2
        for p in row:
            x[p] -= middle
    for sweep in range(4 * SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = []
            for p in row:
                near = [*above[p], *below[p]] if sweep >= 2 else above[p]
                weights = [WEIGHTS[(p >= n_boxes) + (q >= n_boxes)] for q in near]
                wanted.append(fmean([x[q] for q in near], weights) if near else x[p])
            for p, value in zip(row, _spread(wanted, [sizes[p] for p in row]), strict=True):
                x[p] = value
    return x


def _spread(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """The places nearest to those wanted, in the sense of least squares, at which boxes keep their gaps."""
    offsets = [0.0]
    for first, second in zip(sizes, sizes[1:], strict=False):
        offsets.append(offsets[-1] + (first + second) / 2 + GAP)
    blocks: list[tuple[float, int]] = []
    for value, offset in zip(wanted, offsets, strict=True):
        mean, count = value - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        blocks.append((mean, count))
    level = [mean for mean, count in blocks for _ in range(count)]
    return [value + offset for value, offset in zip(level, offsets, strict=True)]
