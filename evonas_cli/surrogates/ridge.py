"""Ridge regression (Hoerl and Kennard, Technometrics, 1970), its penalty chosen by leave-one-out error.

With the singular values s and left vectors U of the centred features, the fitted values are U s^2 / (s^2 + penalty)
U^T y. The error of leaving row i out is its residual over 1 - h_ii, with h the diagonal of that matrix and 1 / n for
the mean (PRESS; Allen, Technometrics, 1974).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas_cli.surrogates.gaussian_process import Array

PENALTIES = tuple(10.0**power for power in range(-3, 5))


@dataclass(frozen=True, slots=True)
class Ridge:
    """`weights`, (f,), of features that are centred by `center`, (f,), beside the mean loss."""

    weights: Array
    center: Array
    mean: float
    penalty: float

    def predict(self, features: Array) -> Array:
        """(m,) predicted losses of m rows of features."""
        found: Array = (features - self.center) @ self.weights + self.mean
        return found


def fit(features: Array, losses: Array) -> Ridge:
    """The regression over n rows of features, (n, f), with their losses, (n,)."""
    center, mean = features.mean(axis=0), float(losses.mean())
    left, values, right = np.linalg.svd(features - center, full_matrices=False)
    projected, best = left.T @ (losses - mean), None
    for penalty in PENALTIES:
        shrunk = values**2 / (values**2 + penalty)
        leverage = np.minimum(1 / len(losses) + (left**2) @ shrunk, 1 - 1e-9)
        error = float(np.mean(((losses - mean - left @ (shrunk * projected)) / (1 - leverage)) ** 2))
        if best is None or error < best[0]:
            best = error, penalty
    assert best is not None
    weights = right.T @ (values / (values**2 + best[1]) * projected)
    return Ridge(weights, center, mean, best[1])
