"""Novelty and its archive (Lehman and Stanley, Abandoning objectives, Evolutionary Computation 19(2), 2011).

    novelty of x = mean distance of x to its k nearest among the others of the population and the archive

Here whoever is in both counts once, and never for itself; fewer than k others are all taken. The archive takes
newcomers by threshold, as in the paper, or of each generation a random share or the most novel; the paper's rules that
move the threshold in the course of a run are left out. A full archive loses its oldest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from math import ceil, dist
from random import Random
from statistics import fmean

from evonas_cli.evolution.behaviour import Point

RULES = ("random", "threshold", "best")


def novelty(points: Sequence[Point], archive: Sequence[Point], k: int) -> list[float]:
    """Of each point, among the points and the archive; 0 where there is no other. k is at least 1."""
    everyone = {point.id: point.descriptor for point in (*archive, *points)}
    found = []
    for point in points:
        apart = [dist(point.descriptor, other) for id, other in everyone.items() if id != point.id]
        found.append(fmean(nsmallest(k, apart)) if apart else 0.0)
    return found


@dataclass(frozen=True, slots=True)
class Entry:
    """Which newcomers an archive of at most `capacity` takes, by `rule`.

    random: each with probability `share`; best: the most novel `share` of them, rounded up, of equals those told first;
    threshold: all whose novelty is at least `threshold`.
    """

    rule: str
    threshold: float
    share: float
    capacity: int

    def grown(
        self, archive: Sequence[Point], newcomers: Sequence[Point], novelties: Mapping[int, float], rng: Random
    ) -> tuple[Point, ...]:
        """The archive with those that enter, in the order of their ids; `novelties` has one for each newcomer's id."""
        ordered = sorted(newcomers, key=lambda point: point.id)
        if self.rule == "random":
            taken = [point for point in ordered if rng.random() < self.share]
        elif self.rule == "best":
            ranked = sorted(ordered, key=lambda point: -novelties[point.id])
            best = {point.id for point in ranked[: ceil(self.share * len(ranked))]}
            taken = [point for point in ordered if point.id in best]
        else:
            taken = [point for point in ordered if novelties[point.id] >= self.threshold]
        everyone = (*archive, *taken)
        return everyone[max(0, len(everyone) - self.capacity) :]
