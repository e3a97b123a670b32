"""Gaussian-process regression on any distance (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006).

    K = exp(-d / length) over the n points told; y their values, standardised
    mean(x) = k(x)' (K + noise I)^-1 y,   variance(x) = 1 - k(x)' (K + noise I)^-1 k(x)            (eqs. 2.25, 2.26)
    log p(y) = -1/2 y' (K + noise I)^-1 y - sum_i log L_ii - n/2 log 2 pi,   L L' = K + noise I    (algorithm 2.1)

Length and noise are those of a grid with the largest log p(y): the lengths are multiples of the median distance, the
noise is a share of the prior's variance. Nothing is drawn at random, and no optimiser runs.

exp(-d / length) is positive semi-definite for distances of negative type, such as Hamming's. Any other distance can
give K negative eigenvalues: these are set to 0, and k(x) is mapped by the same matrix, so that the points told are
treated like new ones (Chen, Garcia, Gupta, Rahimi and Cazzanti, JMLR 10, 2009, section 4.1.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, solve_triangular

Array: TypeAlias = NDArray[np.float64]

LENGTHS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Lengths of the grid, as multiples of the median positive distance of two points told."""
NOISES = (1e-3, 4e-3, 1.7e-2, 7e-2, 0.3)
"""Variances of the noise in the grid, as shares of the prior's variance."""
NEAR = 1e-9
"""A difference of log marginal likelihoods that may be one of rounding: the first of two so near is chosen."""


class Kernel(Protocol):
    """Covariances from distances, and which parameters are tried."""

    def grid(self, distances: Array) -> Sequence[tuple[float, ...]]:
        """The parameters to choose among, given the distances of the points told."""

    def covariance(self, distances: Array, parameters: tuple[float, ...]) -> Array:
        """Shape (n, m); 1 at distance 0."""


@dataclass(frozen=True, slots=True)
class Exponential:
    """exp(-d / length): `distances` have shape (n, m), and the one parameter is the length."""

    lengths: tuple[float, ...] = LENGTHS

    def grid(self, distances: Array) -> Sequence[tuple[float, ...]]:
        """Multiples of the median of the positive distances; of 1 where there are none."""
        positive = distances[distances > 0]
        middle = float(np.median(positive)) if positive.size else 1.0
        return [(middle * length,) for length in self.lengths]

    def covariance(self, distances: Array, parameters: tuple[float, ...]) -> Array:
        """As in `Kernel`."""
        covariance: Array = np.exp(distances / -parameters[0])
        return covariance


@dataclass(frozen=True, slots=True)
class GaussianProcess:
    """The posterior after n values: `fit` makes it. `evidence` is log p(y) of the standardised values.

    `factor` is L, `weights` are (K + noise I)^-1 y, `clip` maps k(x) where K had negative eigenvalues. `smoothed` has
    the mean at each point told, (n,), in the unit of the values.
    """

    kernel: Kernel
    parameters: tuple[float, ...]
    noise: float
    evidence: float
    shift: float
    scale: float
    factor: Array
    weights: Array
    clip: Array | None
    smoothed: Array

    def posterior(self, distances: Array) -> Posterior:
        """Of m points, from their distances, (n, m), to the points told."""
        cross = self.kernel.covariance(distances, self.parameters)
        if self.clip is not None:
            cross = self.clip @ cross
        rows = solve_triangular(self.factor, cross, lower=True, check_finite=False)
        variance = np.maximum(1.0 - np.einsum("nm,nm->m", rows, rows), 0.0)
        return Posterior(self, cross.T @ self.weights, variance, rows)


@dataclass(frozen=True, slots=True)
class Posterior:
    """What the process says of m points, standardised: `means`, `variances`, and `rows` = L^-1 k, (n, m)."""

    process: GaussianProcess
    means: Array
    variances: Array
    rows: Array

    @property
    def mean(self) -> Array:
        """(m,), in the unit of the values."""
        return self.means * self.process.scale + self.process.shift

    @property
    def deviation(self) -> Array:
        """(m,), standard deviations without noise, in the unit of the values."""
        deviation: Array = np.sqrt(self.variances) * self.process.scale
        return deviation

    def covariance(self, distances: Array) -> Array:
        """(m, m) in the square of the values' unit, from the points' distances to each other."""
        prior = self.process.kernel.covariance(distances, self.process.parameters)
        covariance: Array = (prior - self.rows.T @ self.rows) * self.process.scale**2
        return covariance

    def believing(self, index: int, distances: Array) -> Posterior:
        """As if a point's mean had been told as its value: a fantasy (the Kriging believer of Ginsbourger, Le Riche and
        Carraro, 2010). All means stay, variances shrink. `distances`, (m,), are those to the point."""
        prior = self.process.kernel.covariance(distances, self.process.parameters)
        spread = float(np.sqrt(self.variances[index] + self.process.noise))
        row = (prior - self.rows[:, index] @ self.rows) / spread
        variances = np.maximum(self.variances - row**2, 0.0)
        return Posterior(self.process, self.means, variances, np.vstack([self.rows, row]))


EXPONENTIAL = Exponential()


def fit(
    distances: Array,
    values: Array,
    definite: bool = True,
    kernel: Kernel = EXPONENTIAL,
    noises: Sequence[float] = NOISES,
) -> GaussianProcess:
    """The process with the largest log p(y) of the grid, from distances (n, n) and values (n,), n at least 1.

    `definite` says that the kernel is positive semi-definite on this distance, whatever its parameters.
    """
    shift, scale = float(np.mean(values)), float(np.std(values)) or 1.0
    standardised, identity = (values - shift) / scale, np.eye(len(values))
    best: GaussianProcess | None = None
    for parameters in kernel.grid(distances):
        covariance, clip = kernel.covariance(distances, parameters), None
        if not definite:
            covariance, clip = clipped(covariance)
        for noise in noises:
            factor = cholesky(covariance + noise * identity, lower=True, check_finite=False)
            half = solve_triangular(factor, standardised, lower=True, check_finite=False)
            evidence = float(-half @ half / 2 - np.sum(np.log(np.diag(factor)))) - len(values) / 2 * log(2 * pi)
            if best is None or evidence > best.evidence + NEAR:
                weights = solve_triangular(factor, half, lower=True, trans=1, check_finite=False)
                smoothed = values - noise * weights * scale
                best = GaussianProcess(
                    kernel, parameters, noise, evidence, shift, scale, factor, weights, clip, smoothed
                )
    assert best is not None, "the grid has parameters"
    return best


def clipped(covariance: Array) -> tuple[Array, Array | None]:
    """A symmetric matrix with its negative eigenvalues set to 0, and the projection P that does it: P K.

    None instead of P where no eigenvalue is negative beyond rounding; the matrix then comes back as it is.
    """
    values, vectors = eigh(covariance, check_finite=False)
    kept = values > 0
    if values[0] >= -1e-10 * values[-1]:
        return covariance, None
    positive = vectors[:, kept]
    return (positive * values[kept]) @ positive.T, positive @ positive.T
