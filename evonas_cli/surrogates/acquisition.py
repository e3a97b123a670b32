"""What a candidate promises, from what a model believes of its loss: larger is better, losses are minimised.

Expected improvement: Jones, Schonlau and Welch (1998). Confidence bound: Srinivas, Krause, Kakade and Seeger (2010).
Thompson sampling: Thompson (1933); independent for each candidate in White, Neiswanger and Savani (BANANAS, 2021).
"""

from __future__ import annotations

from random import Random

import numpy as np
from scipy.special import ndtr

from evonas_cli.surrogates.gaussian_process import Array

CERTAIN = 1e-100
"""A standard deviation up to which an outcome counts as certain; quotients by smaller ones would overflow."""
DIGITS = 9
"""Digits of a score, as a share of the largest one, that count: what differs beyond them may be rounding."""


def density(z: Array) -> Array:
    """The standard normal density."""
    found: Array = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return found


def expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """E max(0, best - Y) for Y ~ N(mean, deviation^2), shape (m,)."""
    gain = best - mean
    certain = deviation <= CERTAIN
    z = gain / np.where(certain, 1.0, deviation)
    expected: Array = np.where(certain, np.maximum(gain, 0.0), gain * ndtr(z) + deviation * density(z))
    return np.maximum(expected, 0.0, out=expected)


def confidence_bound(mean: Array, deviation: Array, beta: float) -> Array:
    """beta deviations below the mean, with the sign changed: the upper confidence bound of minus the loss."""
    return beta * deviation - mean


def thompson(mean: Array, covariance: Array, rng: Random) -> Array:
    """Minus one draw from the joint distribution, by the eigenvalues of the covariance; negative ones count as 0."""
    values, vectors = np.linalg.eigh(covariance)
    drawn: Array = mean + vectors @ (np.sqrt(np.maximum(values, 0.0)) * normals(len(mean), rng))
    return -drawn


def independent_thompson(mean: Array, deviation: Array, rng: Random) -> Array:
    """Minus one draw for each candidate, independent of the others."""
    return -(mean + deviation * normals(len(mean), rng))


def normals(count: int, rng: Random) -> Array:
    """Independent standard normal numbers from Python's generator, whose draws are the same with every numpy."""
    return np.array([rng.gauss(0.0, 1.0) for _ in range(count)])


def ranking(scores: Array) -> list[int]:
    """Indices by falling score; equal ones, up to rounding, by place."""
    largest = float(np.max(np.abs(scores))) or 1.0
    order: list[int] = np.argsort(-np.round(scores / largest, DIGITS), kind="stable").tolist()
    return order
