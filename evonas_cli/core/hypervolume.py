"""Hypervolume: how much of the space of losses a front dominates, up to a reference point (Zitzler and Thiele, 1998).

moocore computes it, in C, exactly (Fonseca, Paquete and Lopez-Ibanez, 2006). All losses are minimised.
"""

from __future__ import annotations

from collections.abc import Sequence

MARGIN = 0.1
"""By which share of its range an objective's worst loss is exceeded by the reference point."""


def hypervolume(points: Sequence[Sequence[float]], reference: Sequence[float]) -> float:
    """The volume that the points dominate within the box below the reference, in the product of the losses' units.

    A point that is not better than the reference in every objective adds nothing; no points give 0. The points (1, 3),
    (2, 2) and (3, 1) against (4, 4) give 6.
    """
    if not points:
        return 0.0
    import moocore  # brings numpy, which runs of one objective do without

    return float(moocore.hypervolume([list(point) for point in points], ref=list(reference)))


def reference_point(points: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """For each objective the worst loss, and a tenth of the range beyond it, so that the ends of a front add something.

    Where all losses of an objective are equal, a tenth of their size, or 0.1 where they are 0, is added. Raises
    ValueError for no points.
    """
    if not points:
        raise ValueError("no points: there is nothing to put a reference point beyond")
    found = []
    for column in zip(*points, strict=True):
        worst, span = max(column), max(column) - min(column)
        found.append(worst + MARGIN * (span or abs(worst) or 1.0))
    return tuple(found)
