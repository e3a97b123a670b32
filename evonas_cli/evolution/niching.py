"""Niching: fitness sharing (Goldberg and Richardson 1987), deterministic (Mahfoud 1992) and probabilistic crowding.

Probabilistic crowding is Mengshoel and Goldberg's (1999), the choice of a rival from a window that of Harik's
restricted tournament (1995). Deviations: a child meets the most similar of its parents, not the one that a matching of
two parents and two children gives it, and its siblings' conquests before it count; with k parents that needs no cases.

All functions are pure. Losses are finite and minimised; distances are those of the space, zero for equal genomes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import inf
from random import Random
from statistics import fmean
from typing import Any, Protocol, TypeVar

from evonas_cli.core.rng import stream

T = TypeVar("T")
C = TypeVar("C", covariant=True)
M = TypeVar("M", bound="Member[Any]")
MOST_PAIRS = 500


class Member(Protocol[C]):
    """An individual that competes for a place; `loss` is None for a failed one."""

    @property
    def id(self) -> int:
        """The candidate's."""

    @property
    def genome(self) -> C:
        """What distances are measured on."""

    @property
    def loss(self) -> float | None:
        """Minimised."""


def fitness(losses: Sequence[float]) -> list[float]:
    """Losses turned into numbers in [0, 1], higher is better: 1 for the best, 0 for the worst; 1 for all if equal."""
    best, worst = min(losses), max(losses)
    return [(worst - loss) / (worst - best) for loss in losses] if worst > best else [1.0] * len(losses)


def niche_counts(
    genomes: Sequence[T], distance: Callable[[T, T], float], radius: float, exponent: float
) -> list[float]:
    """m_i = sum_j max(0, 1 - (d_ij / radius)^exponent), itself included: how many share the niche of i."""
    counts = [1.0] * len(genomes)
    for (i, first), (j, second) in combinations(enumerate(genomes), 2):
        relative = distance(first, second) / radius
        shared = 1.0 - relative**exponent if relative < 1 else 0.0
        counts[i] += shared
        counts[j] += shared
    return counts


def shared_fitness(
    losses: Sequence[float],
    genomes: Sequence[T],
    distance: Callable[[T, T], float],
    radius: float,
    exponent: float,
) -> list[float]:
    """f_i / m_i with the `fitness` f and the niche counts m. Never negative; for selection only, no result."""
    counts = niche_counts(genomes, distance, radius, exponent)
    return [value / count for value, count in zip(fitness(losses), counts, strict=True)]


def families(n_members: int, n_parents: int, n_children: int, rng: Random) -> list[list[int]]:
    """The parents of each child: members in random groups of `n_parents`, every group with as many children.

    Every member is the first parent of one child before any member is that of a second one.
    """
    groups: list[list[int]] = []
    while len(groups) < n_children:
        order = rng.sample(range(n_members), n_members)
        for start in range(0, n_members, n_parents):
            group = order[start : start + n_parents]
            groups.extend(group[turn:] + group[:turn] for turn in range(len(group)))
    return groups[:n_children]


def crowd(
    members: Sequence[M],
    newborn: Sequence[tuple[M, Sequence[int]]],
    rng: Random,
    *,
    distance: Callable[[Any, Any], float],
    size: int,
    window: int | None = None,
    probabilistic: bool = False,
    protected: int = 0,
) -> list[M]:
    """The members after every newborn, given with its parents' ids, has fought for the place of a similar one.

    It takes a free place while there are fewer than `size`. Else it meets the most similar of those in its parents'
    places (of all, if no parent lives), or of `window` members drawn at random, and takes the place if it is not worse;
    when `probabilistic`, with probability f_c / (f_c + f_r), f = the largest loss of this generation - loss. In the
    places of the first `protected` members no member yields to a worse one. Failed members leave, failed newborn stay
    out.
    """
    places = [member for member in members if member.loss is not None]
    n_guarded = min(protected, len(places))
    by_id = {member.id: place for place, member in enumerate(places)}
    arrivals = [(child, parents) for child, parents in newborn if child.loss is not None]
    worst = max([_loss(member) for member in (*places, *[child for child, _ in arrivals])], default=0.0)
    for child, parents in arrivals:
        if len(places) < size:
            places.append(child)
            continue
        family = [by_id[parent] for parent in parents if parent in by_id] or list(range(len(places)))
        rivals = family if window is None else rng.sample(range(len(places)), min(window, len(places)))
        place = nearest(child.genome, {rival: places[rival].genome for rival in rivals}, distance, rng)
        scale = worst if probabilistic and place >= n_guarded else None
        if wins(_loss(child), _loss(places[place]), scale, rng):
            places[place] = child
    return places


def nearest(genome: T, others: dict[int, T], distance: Callable[[T, T], float], rng: Random) -> int:
    """The key of the most similar of the others, of equally similar ones a random one."""
    order = rng.sample(list(others), len(others))
    return min(order, key=lambda key: distance(genome, others[key]))


def wins(loss: float, rival: float, worst: float | None, rng: Random) -> bool:
    """Whether a child takes its rival's place: if it is not worse; by chance if a `worst` loss scales the fitness."""
    if worst is None:
        return loss <= rival
    ours, theirs = worst - loss, worst - rival
    return rng.random() < (ours / (ours + theirs) if ours + theirs > 0 else 0.5)


def mean_distance(genomes: Sequence[T], distance: Callable[[T, T], float]) -> float:
    """Mean over all pairs, over a fixed sample of `MOST_PAIRS` where there are more; 0 for less than two genomes."""
    n = len(genomes)
    if n < 2:
        return 0.0
    if n * (n - 1) // 2 <= MOST_PAIRS:
        return fmean(distance(first, second) for first, second in combinations(genomes, 2))
    fixed = stream(0, "pairs", n)
    drawn = (fixed.sample(range(n), 2) for _ in range(MOST_PAIRS))
    return fmean(distance(genomes[first], genomes[second]) for first, second in drawn)


def _loss(member: Member[Any]) -> float:
    return inf if member.loss is None else member.loss
