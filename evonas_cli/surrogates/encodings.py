"""Genomes as rows of numbers, for surrogates that read features.

`ENCODINGS` names those that a strategy can choose, each with what a space must have and what makes it for a space.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from evonas_cli.genomes.capabilities import Buildable, Linear, Tuning
from evonas_cli.genomes.choices import Gene, Genes, Locus
from evonas_cli.genomes.ranges import Real
from evonas_cli.surrogates.gaussian_process import Array
from evonas_cli.surrogates.path_bits import Path, path_bits

C = TypeVar("C", contravariant=True)


class Encoding(Protocol[C]):
    """Numbers for genomes."""

    def features(self, told: Sequence[C], others: Sequence[C]) -> tuple[Array, Array]:
        """(n, f) and (m, f), of the genomes that a model learns from and of those it is asked about."""


class PathEncoding:
    """A column for each path that a told genome has (`path_bits`)."""

    def __init__(self, space: Any) -> None:
        self._bits = path_bits(space)

    def features(self, told: Sequence[Any], others: Sequence[Any]) -> tuple[Array, Array]:
        """As in `Encoding`. Paths that no told genome has are left out, since nothing is known of them."""
        bits = [self._bits(genome) for genome in told]
        column = {path: place for place, path in enumerate(sorted(frozenset[Path]().union(*bits)))}
        rows = [[column[path] for path in each if path in column] for each in (*bits, *map(self._bits, others))]
        matrix = np.zeros((len(rows), max(1, len(column))))
        for row, columns in enumerate(rows):
            matrix[row, columns] = 1.0
        return matrix[: len(told)], matrix[len(told) :]


class GeneEncoding:
    """A column for each option of each gene (one-hot); for a range of real numbers one with the share of the range."""

    def __init__(self, space: Linear) -> None:
        self._loci = space.choices

    def features(self, told: Sequence[Genes], others: Sequence[Genes]) -> tuple[Array, Array]:
        """As in `Encoding`."""
        columns = [
            _columns(locus, genes) for locus, genes in zip(self._loci, zip(*told, *others, strict=True), strict=True)
        ]
        matrix = np.concatenate(columns, axis=1)
        return matrix[: len(told)], matrix[len(told) :]


def _columns(locus: Locus, genes: Sequence[Gene]) -> Array:
    if isinstance(locus, Real):
        return np.array([[locus.share(gene)] for gene in genes])
    options = locus.grid or tuple(dict.fromkeys(genes))
    return np.array([[float(gene == option) for option in options] for gene in genes])


@dataclass(frozen=True, slots=True)
class Offer:
    """An encoding by name: what a space must have, and what makes the encoding for it."""

    needs: type
    make: Callable[[Any], Encoding[Any]]


ENCODINGS: Mapping[str, Offer] = {"paths": Offer(Buildable, PathEncoding), "genes": Offer(Linear, GeneEncoding)}


def offer(name: str, space: Any) -> Offer:
    """The encoding of that name; `auto` is paths where genomes are networks and set nothing of the trainer, which
    paths do not show, else genes."""
    if name == "auto":
        name = "paths" if isinstance(space, Buildable) and not isinstance(space, Tuning) else "genes"
    return ENCODINGS[name]
