"""Clusters around medoids by alternating assignment and update (Park and Jun, 2009).

Deviation: the first medoids are drawn at random instead of being those nearest to all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from random import Random


def k_medoids(distances: Sequence[Sequence[float]], k: int, rng: Random) -> list[list[int]]:
    """At most `k` clusters of n items, each in ascending order and none empty; every item is in one of them.

    `distances` is n x n, symmetric. An item joins the nearest medoid, of equally near ones the first; the medoid of a
    cluster is the member with the least sum of distances to the others. Ends when no item is nearer to the medoid of
    another cluster, so that the sum of all distances to medoids falls no more.
    """
    clusters = _nearest(distances, rng.sample(range(len(distances)), min(k, len(distances))))
    while True:
        medoids = [_medoid(distances, cluster) for cluster in clusters]
        before = fsum(distances[medoid][item] for medoid, own in zip(medoids, clusters, strict=True) for item in own)
        if not fsum(min(row[medoid] for medoid in medoids) for row in distances) < before:
            return clusters
        clusters = _nearest(distances, medoids)


def _nearest(distances: Sequence[Sequence[float]], medoids: Sequence[int]) -> list[list[int]]:
    """The items of each medoid; a medoid that equals an earlier one has none and is left out."""
    nearest = [min(medoids, key=row.__getitem__) for row in distances]
    found = [[item for item, medoid in enumerate(nearest) if medoid == one] for one in medoids]
    return [cluster for cluster in found if cluster]


def _medoid(distances: Sequence[Sequence[float]], cluster: Sequence[int]) -> int:
    return min(cluster, key=lambda item: fsum(distances[item][other] for other in cluster))
