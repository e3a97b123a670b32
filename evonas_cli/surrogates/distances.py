"""Distances between genomes, of which kernels are made.

`DISTANCES` names those that a strategy can choose. A module that has another one adds a line there: the capability that
a space must have, and a function that makes the distance for a space. A space that declares its own distance is
`Measured`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from evonas_cli.core.types import G
from evonas_cli.genomes.capabilities import Buildable, Linear, Measured
from evonas_cli.genomes.choices import Choice, Genes, Locus
from evonas_cli.genomes.ranges import Integer, Real
from evonas_cli.surrogates.gaussian_process import Array, Exponential, Kernel
from evonas_cli.surrogates.otmann import Otmann
from evonas_cli.surrogates.path_bits import path_bits

C = TypeVar("C", contravariant=True)


class Distance(Protocol[C]):
    """How far genomes are from each other, for all pairs at once.

    `definite` says that `kernel` is positive semi-definite on these distances, whatever its parameters.
    """

    definite: bool
    kernel: Kernel

    def between(self, first: Sequence[C], second: Sequence[C]) -> Array:
        """Shape (n, m) for n and m genomes; 0 for equal ones, symmetric, never negative. A kernel that mixes several
        distances has them along a last axis more."""


class Hamming:
    """The mean distance of the genes: for options the share that differ (Hamming, 1950), for numbers shares of their
    range. It is of negative type, as a sum of distances on lines and between options."""

    kernel: Kernel = Exponential()

    def __init__(self, space: Linear) -> None:
        self._loci = space.choices
        self.definite = all(isinstance(locus, Choice | Real | Integer) for locus in self._loci)

    def between(self, first: Sequence[Genes], second: Sequence[Genes]) -> Array:
        """As in `Distance`."""
        total = np.zeros((len(first), len(second)))
        for locus, ours, theirs in zip(self._loci, zip(*first, strict=True), zip(*second, strict=True), strict=True):
            total += _along(locus, ours, theirs)
        return total / len(self._loci)


def _along(locus: Locus, first: Genes, second: Genes) -> Array:
    """Distances at one locus."""
    if isinstance(locus, Real | Integer):
        places = [np.array([locus.distance(locus.low, gene) for gene in genes]) for genes in (first, second)]
        apart: Array = np.abs(places[0][:, None] - places[1][None, :])
        return apart
    genes = list(dict.fromkeys((*first, *second)))
    code = {gene: index for index, gene in enumerate(genes)}
    table = np.array([[locus.distance(a, b) if a != b else 0.0 for b in genes] for a in genes])
    return table[np.ix_([code[gene] for gene in first], [code[gene] for gene in second])]


class Paths(Generic[G]):
    """The number of path bits that one of two genomes has and the other one has not (`path_bits`)."""

    definite = True
    kernel: Kernel = Exponential()

    def __init__(self, space: Any) -> None:
        self._bits = path_bits(space)

    def between(self, first: Sequence[G], second: Sequence[G]) -> Array:
        """As in `Distance`."""
        ours, theirs = [self._bits(genome) for genome in first], [self._bits(genome) for genome in second]
        column = {path: index for index, path in enumerate(sorted(set().union(*ours, *theirs)))}
        left, right = _matrix(ours, column), _matrix(theirs, column)
        apart: Array = left.sum(1)[:, None] + right.sum(1)[None, :] - 2 * left @ right.T
        return apart


def _matrix(bits: Sequence[frozenset[Any]], column: Mapping[Any, int]) -> Array:
    matrix = np.zeros((len(bits), len(column)))
    for row, paths in enumerate(bits):
        matrix[row, [column[path] for path in paths]] = 1.0
    return matrix


class Declared(Generic[G]):
    """The distance that the space declares itself (`Measured`), which need not be of negative type."""

    definite = False
    kernel: Kernel = Exponential()

    def __init__(self, space: Measured[G]) -> None:
        self._space = space
        self._latest: tuple[list[G], Array] = [], np.zeros((0, 0))

    def between(self, first: Sequence[G], second: Sequence[G]) -> Array:
        """As in `Distance`."""
        apart = self._space.distance
        if first is second:
            return self._among(list(first))
        return np.array([[apart(a, b) for b in second] for a in first]).reshape(len(first), len(second))

    def _among(self, genomes: list[G]) -> Array:
        """Of all pairs. Those of the genomes told before are remembered: a pair may take a tenth of a millisecond."""
        known, matrix = self._latest
        start = len(known) if genomes[: len(known)] == known else 0
        found = np.zeros((len(genomes), len(genomes)))
        found[:start, :start] = matrix[:start, :start]
        for row in range(start, len(genomes)):
            found[row, :row] = [self._space.distance(genomes[row], other) for other in genomes[:row]]
            found[:row, row] = found[row, :row]
        self._latest = genomes, found
        return found


@dataclass(frozen=True, slots=True)
class Offer:
    """A distance by name: what a space must have, and what makes the distance for it."""

    needs: type
    make: Callable[[Any], Distance[Any]]


DISTANCES: Mapping[str, Offer] = {
    "hamming": Offer(Linear, Hamming),
    "declared": Offer(Measured, Declared),
    "paths": Offer(Buildable, Paths),
    "otmann": Offer(Buildable, Otmann),
}
"""In the order in which `auto` tries them."""


def offer(name: str, space: Any) -> Offer:
    """The distance of that name; `auto` is the first one that serves the space, and that of a `Measured` space where
    none does."""
    if name != "auto":
        return DISTANCES[name]
    return next((one for one in DISTANCES.values() if isinstance(space, one.needs)), DISTANCES["declared"])
