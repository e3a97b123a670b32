"""Non-dominated sorting with crowding: the order in which NSGA-II prefers loss vectors (Deb et al., 2002).

moocore finds the fronts, in C. Beside the paper: equals are ordered by their place in the list, not at random, and an
objective in which a front does not differ gives nobody an infinite distance. For a single objective the order is
therefore that of the losses, ties by place.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf


def best_first(losses: Sequence[Sequence[float]]) -> list[int]:
    """Indices into `losses` (finite, minimised): by front, in a front the least crowded first, then by place."""
    order = []
    for front in fronts(losses):
        distances = crowding([losses[index] for index in front])
        order += [index for _, index in sorted(zip([-distance for distance in distances], front, strict=True))]
    return order


def fronts(losses: Sequence[Sequence[float]]) -> list[list[int]]:
    """Indices by front: none of a front dominates another one of it, and each after the first is dominated from the
    front before. Within a front by place.
    """
    import moocore  # brings numpy, which this module's other functions do without

    if not losses:
        return []
    found: dict[int, list[int]] = {}
    for index, rank in enumerate(moocore.pareto_rank([list(vector) for vector in losses]).tolist()):
        found.setdefault(rank, []).append(index)
    return [found[rank] for rank in sorted(found)]


def crowding(losses: Sequence[Sequence[float]]) -> list[float]:
    """Each vector's crowding distance: the gaps between its neighbours, as shares of the range, summed over objectives.

    Infinite for one at the end of a range, 0 where all are equal.
    """
    distances = [0.0] * len(losses)
    for objective in range(len(losses[0]) if losses else 0):
        order = sorted(range(len(losses)), key=lambda index: (losses[index][objective], index))
        values = [losses[index][objective] for index in order]
        span = values[-1] - values[0]
        if span > 0:
            distances[order[0]] = distances[order[-1]] = inf
            for place in range(1, len(order) - 1):
                distances[order[place]] += (values[place + 1] - values[place - 1]) / span
    return distances
