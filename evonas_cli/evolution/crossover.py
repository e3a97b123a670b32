"""Crossover of tuple genomes of k >= 2 parents: uniform (Syswerda 1989), one-point (Holland 1975), two-point, blend.

The first three say for every locus which parent its gene comes from, and need only that loci are independent, so any
gene of any parent fits in its place. Beside the papers, all take k parents: uniform is then the gene scan, and the
points are those of diagonal crossover (both Eiben, Raue and Ruttkay 1994), k - 1 on the line or k on the ring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeAlias, TypeVar

from evonas_cli.genomes.choices import Genes, Locus

T = TypeVar("T")
Sources: TypeAlias = list[int]


def uniform(n_loci: int, n_parents: int, rng: Random) -> Sources:
    """Every locus from any of the parents with equal chances."""
    return [n_parents - 1 - int(n_parents * rng.random()) for _ in range(n_loci)]


def one_point(n_loci: int, n_parents: int, rng: Random) -> Sources:
    """One segment of each parent, in order, between uniform cuts strictly inside: one cut for two parents.

    Parents for whom no locus is left are not used; a single locus comes from the first.
    """
    n_cuts = max(0, min(n_parents, n_loci) - 1)
    cuts = sorted(rng.sample(range(1, n_loci), n_cuts)) if n_cuts else []
    return [sum(cut <= locus for cut in cuts) for locus in range(n_loci)]


def two_point(n_loci: int, n_parents: int, rng: Random) -> Sources:
    """One arc of each parent between different cuts of the genome seen as a ring (De Jong 1975): two for two parents.

    On the ring every parent gives at least one gene, where there are enough; a single locus comes from the first.
    """
    n_cuts = min(n_parents, n_loci)
    if n_cuts < 2:
        return [0] * n_loci
    cuts = rng.sample(range(n_loci), n_cuts)
    ring = sorted(cuts)
    arc_of_second = ring.index(cuts[0])
    return [(sum(cut <= locus for cut in ring) - arc_of_second) % n_cuts for locus in range(n_loci)]


SOURCES: dict[str, Callable[[int, int, Random], Sources]] = {
    "uniform": uniform,
    "one_point": one_point,
    "two_point": two_point,
}
OPERATORS = (*SOURCES, "blend")


def recombine(sources: Sequence[int], parents: Sequence[tuple[T, ...]]) -> tuple[T, ...]:
    """The child that takes each locus from the parent that `sources` names. Raises ValueError for unequal lengths."""
    return tuple([genes[source] for source, *genes in zip(sources, *parents, strict=True)])


def blend(loci: Sequence[Locus], parents: Sequence[Genes], rng: Random) -> Genes:
    """Arithmetic crossover, gene by gene: between two of the parents, drawn at random, at a uniform share.

    Numbers end anywhere between the two, on their range's scale (flat crossover, Radcliffe 1991); options are those of
    one of the parents, all with equal chances. Raises ValueError for genomes of different lengths.
    """
    child = []
    for locus, *genes in zip(loci, *parents, strict=True):
        first, second = rng.sample(genes, 2)
        child.append(locus.blend(first, second, rng.random()))
    return tuple(child)


def cross(operator: str, loci: Sequence[Locus], parents: Sequence[Genes], rng: Random) -> Genes:
    """The child of two or more parents by one of `OPERATORS`."""
    if operator == "blend":
        return blend(loci, parents, rng)
    return recombine(SOURCES[operator](len(loci), len(parents), rng), parents)
