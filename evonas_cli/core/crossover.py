"""Crossover of two tuple genomes by a mask over loci: uniform (Syswerda 1989), one-point (Holland 1975), two-point.

A mask has one bool a locus; True takes the gene of the second parent. Every function here needs only that loci are
independent, so any gene of either parent fits in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def uniform(n_loci: int, rng: Random) -> list[bool]:
    """A fair coin for every locus."""
    return [rng.random() < 0.5 for _ in range(n_loci)]


def one_point(n_loci: int, rng: Random) -> list[bool]:
    """First parent before a uniform cut strictly inside, second parent from it on; one locus comes from the first."""
    cut = rng.randrange(1, n_loci) if n_loci > 1 else n_loci
    return [locus >= cut for locus in range(n_loci)]


def two_point(n_loci: int, rng: Random) -> list[bool]:
    """Second parent between two different cuts of the genome seen as a ring (De Jong 1975), first parent elsewhere.

    On the ring both parents give at least one gene; one locus comes from the first.
    """
    start, stop = rng.sample(range(n_loci), 2) if n_loci > 1 else (0, 0)
    if start <= stop:
        return [start <= locus < stop for locus in range(n_loci)]
    return [locus >= start or locus < stop for locus in range(n_loci)]


MASKS: dict[str, Callable[[int, Random], list[bool]]] = {
    "uniform": uniform,
    "one_point": one_point,
    "two_point": two_point,
}


def recombine(mask: Sequence[bool], first: tuple[T, ...], second: tuple[T, ...]) -> tuple[T, ...]:
    """The child of two genomes. Raises ValueError when mask and genomes differ in length."""
    return tuple([theirs if swap else ours for swap, ours, theirs in zip(mask, first, second, strict=True)])
