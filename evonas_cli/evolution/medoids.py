"""Clusters around medoids by alternating assignment and update (Park and Jun, 2009).

Deviation: the first medoids are drawn at random instead of being those nearest to all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from random import Random


def k_medoids(distances: Sequence[Sequence[float]], k: int, rng: Random) -> list[list[int]]:
    """At most `k` clusters of n items, each in ascending order and none empty; every item is in one of them.

    `distances` is n x n, symmetric. An item joins the nearest medoid, of equally near ones the first; the medoid of a
    cluster is the member with the least sum of distances to the others. Ends when the sum of all distances to medoids
    falls no more.
    """
    items = range(len(distances))
    medoids, before = rng.sample(items, min(k, len(items))), inf
    while True:
        nearest = [min(medoids, key=distances[item].__getitem__) for item in items]
        clusters = [[item for item in items if nearest[item] == medoid] for medoid in medoids]
        clusters = [cluster for cluster in clusters if cluster]
        cost = sum(distances[item][medoid] for item, medoid in zip(items, nearest, strict=True))
        if not cost < before:
            return clusters
        before = cost
        medoids = [_medoid(distances, cluster) for cluster in clusters]


def _medoid(distances: Sequence[Sequence[float]], cluster: Sequence[int]) -> int:
    return min(cluster, key=lambda item: sum(distances[item][other] for other in cluster))
