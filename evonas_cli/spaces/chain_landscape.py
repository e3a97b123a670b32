"""A chain of decisions with random unary and neighbour-pair terms (a one-dimensional Potts glass), optimum known.

    s(a) = sum_t A[t][a_t] + sum_t B[t][a_t][a_{t+1}],  A, B ~ N(0, 1);  score = 1 / (1 + exp(-s / 8))

The terms come from `landscape_seed`, which is not the search's seed: runs with different seeds climb one landscape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import tanh
from typing import cast

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.independent import Independent

LEAST = {"length": 1, "options": 2, "landscape_seed": 0}


@dataclass
class ChainLandscape(Independent):
    """A random chain of decisions with a known optimum.

    Genomes are tuples of `length` whole numbers in 0 .. options-1.

    `unary` has shape (length, options), `pair` (length-1, options, options).
    """

    length: int = 12
    options: int = 4
    landscape_seed: int = 0
    choices: Sequence[Choice] = field(init=False, repr=False)
    unary: list[list[float]] = field(init=False, repr=False)
    pair: list[list[list[float]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for key, least in LEAST.items():
            value = getattr(self, key)
            if type(value) is not int or value < least:
                raise UsageError(f"space.{key} must be a whole number of at least {least}; it is {value!r}")
        rng = stream(self.landscape_seed, "chain_landscape")
        options = range(self.options)
        self.choices = tuple(Choice(f"decision_{t}", tuple(options)) for t in range(self.length))
        self.unary = [[rng.gauss(0, 1) for _ in options] for _ in range(self.length)]
        self.pair = [[[rng.gauss(0, 1) for _ in options] for _ in options] for _ in range(self.length - 1)]

    def score(self, genome: Genes) -> float:
        """sigmoid(s / 8), in (0, 1)."""
        path = cast(tuple[int, ...], genome)
        unary = sum(terms[a] for terms, a in zip(self.unary, path, strict=True))
        pair = sum(terms[a][b] for terms, (a, b) in zip(self.pair, pairwise(path), strict=True))
        return (1 + tanh((unary + pair) / 16)) / 2

    def optimum(self) -> tuple[Genes, float]:
        """The best genome and its score, by dynamic programming over the chain (Viterbi 1967)."""
        best: list[tuple[float, tuple[int, ...]]] = [(value, (a,)) for a, value in enumerate(self.unary[0])]
        for unary, pair in zip(self.unary[1:], self.pair, strict=True):
            best = [
                max((total + pair[path[-1]][b] + unary[b], (*path, b)) for total, path in best)
                for b in range(self.options)
            ]
        genome: Genes = max(best)[1]
        return genome, self.score(genome)
