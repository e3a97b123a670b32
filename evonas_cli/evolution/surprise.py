"""Surprise: how far a behaviour lies from predicted ones (Gravina, Liapis, Yannakakis, Surprise search, GECCO 2016).

    each generation's behaviours are summed up by cluster centres (k-means), which follow those of the one before
    prediction = centre now + (centre now - centre before)                      (linear, from the last two generations)
    surprise of x = distance of x to the nearest prediction

Until two generations are known nothing is predicted, and nothing surprises. Here a cluster that loses all its members
keeps its centre, and the number of clusters is that of the first generation, which may have fewer different behaviours.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import dist
from random import Random
from statistics import fmean

from evonas_cli.core.types import Descriptor

ROUNDS = 100
"""Rounds after which k-means ends even if it has not settled."""


def centres(points: Sequence[Descriptor], before: Sequence[Descriptor], k: int, rng: Random) -> tuple[Descriptor, ...]:
    """The centres of clusters of the points by Lloyd's k-means (1982), beginning with those of the generation before.

    Where there are none, it begins with at most `k` different points, drawn at random. No points: as before.
    """
    found = list(before)
    if not found:
        different = list(dict.fromkeys(points))
        found = rng.sample(different, min(k, len(different)))
    for _ in range(ROUNDS if points else 0):
        clusters: list[list[Descriptor]] = [[] for _ in found]
        for point in points:
            clusters[nearest(point, found)].append(point)
        moved = [_mean(members) if members else centre for members, centre in zip(clusters, found, strict=True)]
        if moved == found:
            break
        found = moved
    return tuple(found)


def nearest(point: Descriptor, others: Sequence[Descriptor]) -> int:
    """The index of the nearest of the others, of equally near ones the first."""
    return min(range(len(others)), key=lambda index: dist(point, others[index]))


def predicted(before: Sequence[Descriptor], now: Sequence[Descriptor]) -> tuple[Descriptor, ...]:
    """Where each centre will be in a generation, if it goes on as it did in the last one."""
    return tuple([tuple([2 * b - a for a, b in zip(*pair, strict=True)]) for pair in zip(before, now, strict=True)])


def surprise(point: Descriptor, predictions: Sequence[Descriptor]) -> float:
    """The distance to the nearest prediction; 0 where there is none."""
    return min((dist(point, prediction) for prediction in predictions), default=0.0)


def _mean(points: Sequence[Descriptor]) -> Descriptor:
    return tuple([fmean(numbers) for numbers in zip(*points, strict=True)])
