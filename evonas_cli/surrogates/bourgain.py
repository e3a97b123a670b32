"""A Gaussian kernel on any distance, by Bourgain's embedding (1985), as in AutoKeras (Jin, Song and Hu, KDD 2019).

exp(-d^2) need not be positive semi-definite. A point's coordinates are its least distances to random subsets of the
points told, of 1, 2, 4, ... points; rho is the Euclidean distance of coordinates, and exp(-(rho / length)^2) is
positive semi-definite whatever d is. New points are embedded by the same subsets as those told: the authors' code
embeds the latter alone, so that predictions there are made by another kernel than the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log, log2
from random import Random

import numpy as np

from evonas_cli.surrogates.gaussian_process import Array


@dataclass(frozen=True, slots=True)
class Bourgain:
    """The subsets, each by the places of its points among those told."""

    subsets: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, count: int, rng: Random) -> Bourgain:
        """Subsets of so many points, drawn with replacement: ceil(ln n) of each size 2^i for i to ceil(log2 n)."""
        sizes = [2**i for i in range(ceil(log2(count)) + 1)]
        draws = max(1, ceil(log(count)))
        drawn = [tuple(sorted({rng.randrange(count) for _ in range(size)})) for size in sizes for _ in range(draws)]
        return cls(tuple(drawn))

    def coordinates(self, distances: Array) -> Array:
        """(m, subsets), from distances of m points to those told, (m, n); root-mean-square scaled, so that no point
        gets farther from another one than by the distance that was embedded."""
        found: Array = np.stack([distances[:, list(subset)].min(axis=1) for subset in self.subsets], axis=1)
        found /= np.sqrt(len(self.subsets))
        return found


def euclidean(first: Array, second: Array) -> Array:
    """(n, m) distances of rows of coordinates."""
    apart: Array = np.sqrt(((first[:, None] - second[None]) ** 2).sum(-1))
    return apart


@dataclass(frozen=True, slots=True)
class Gaussian:
    """exp(-(rho / length)^2); the one parameter is the length."""

    lengths: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)

    def grid(self, distances: Array) -> Sequence[tuple[float, ...]]:
        """Multiples of the median of the positive distances; of 1 where there are none."""
        positive = distances[distances > 0]
        middle = float(np.median(positive)) if positive.size else 1.0
        return [(middle * length,) for length in self.lengths]

    def covariance(self, distances: Array, parameters: tuple[float, ...]) -> Array:
        """As in `Kernel`."""
        covariance: Array = np.exp(-((distances / parameters[0]) ** 2))
        return covariance
