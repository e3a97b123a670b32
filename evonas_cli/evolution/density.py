"""How crowded points are: a Gaussian kernel density with Silverman's bandwidths (Silverman, 1986, equation 4.14)."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, prod
from statistics import pstdev
from typing import TypeAlias

Point: TypeAlias = tuple[float, ...]

NARROWEST = 0.1
"""The least bandwidth, in the points' unit: that of points which do not differ in a dimension."""
FLOOR = 0.01
"""The least density, as a share of the greatest one among the points asked for."""


def densities(points: Sequence[Point], of: Sequence[Point]) -> list[float]:
    """The density of the points `of` under the kernels of `points`, up to a constant factor; above 0.

    Raises ValueError for no points.
    """
    if not points:
        raise ValueError("a density needs points")
    dimensions = len(points[0])
    factor = (4 / ((dimensions + 2) * len(points))) ** (1 / (dimensions + 4))
    widths = [max(NARROWEST, factor * pstdev(column)) for column in zip(*points, strict=True)]
    found = [
        sum(
            prod(exp(-(((x - y) / h) ** 2) / 2) for x, y, h in zip(one, point, widths, strict=True)) for point in points
        )
        for one in of
    ]
    least = FLOOR * max(found, default=0.0)
    return [max(density, least, 1e-300) for density in found]


def rarities(points: Sequence[Point], of: Sequence[Point]) -> list[float]:
    """Weights in proportion to 1 / density; they sum to 1."""
    inverse = [1 / density for density in densities(points, of)]
    total = sum(inverse)
    return [weight / total for weight in inverse]
