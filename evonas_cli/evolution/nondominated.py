"""Constrained non-dominated sorting with crowding: the order in which NSGA-II prefers candidates (Deb et al., 2002).

Deb, Pratap, Agarwal and Meyarivan, A fast and elitist multiobjective genetic algorithm: NSGA-II (IEEE TEC 6(2), 2002):
fronts are section III-A, crowding is III-B, constraint domination is section VI. moocore finds the fronts, in C.

Beside the paper: in the order, equals stand by their place in the list, not at random. An objective in which a front
does not differ adds 0 to the distances. For a single objective the order is that of the losses, ties by place.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf


def best_first(losses: Sequence[Sequence[float]], violations: Sequence[float] | None = None) -> list[int]:
    """Indices into `losses` (finite, minimised): by front, in a front the least crowded first, then by place.

    `violations` has the sum of the violated constraints for each (None: 0 for all).
    """
    keys = preferences(losses, violations)
    return sorted(range(len(losses)), key=lambda index: (keys[index], index))


def preferences(
    losses: Sequence[Sequence[float]], violations: Sequence[float] | None = None
) -> list[tuple[int, float]]:
    """For each its front, from 0, and its crowding distance in that front with the sign changed.

    The smaller pair wins a tournament: the paper's crowded-comparison operator.
    """
    found = [(0, 0.0)] * len(losses)
    for rank, front in enumerate(constrained_fronts(losses, violations)):
        distances = crowding([losses[index] for index in front])
        for index, distance in zip(front, distances, strict=True):
            found[index] = (rank, -distance)
    return found


def constrained_fronts(losses: Sequence[Sequence[float]], violations: Sequence[float] | None = None) -> list[list[int]]:
    """Indices by front under constraint domination: the feasible by Pareto domination, after them the others.

    Of two that violate constraints the smaller violation dominates, whatever the losses; equal ones share a front.
    """
    if violations is None or not any(violations):
        return fronts(losses)
    feasible = [index for index, violation in enumerate(violations) if not violation]
    found = [[feasible[place] for place in front] for front in fronts([losses[index] for index in feasible])]
    for level in sorted({violation for violation in violations if violation}):
        found.append([index for index, violation in enumerate(violations) if violation == level])
    return found


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

    Infinite for the two ends of each objective's range (of equal ends the first and the last by place), and in a front
    of one or two. Where all of a larger front are equal, the distances are 0.
    """
    if len(losses) <= 2:
        return [inf] * len(losses)
    distances = [0.0] * len(losses)
    for objective in range(len(losses[0])):
        order = sorted(range(len(losses)), key=lambda index: (losses[index][objective], index))
        values = [losses[index][objective] for index in order]
        span = values[-1] - values[0]
        if span > 0:
            distances[order[0]] = distances[order[-1]] = inf
            for place in range(1, len(order) - 1):
                distances[order[place]] += (values[place + 1] - values[place - 1]) / span
    return distances
