"""Regression: how far predicted numbers are from the true ones, and where they are furthest."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonas_cli.explain.calibration import Floats

POINTS = 400
"""Points of the drawing."""


def residuals(predicted: Floats, y: Floats, most: int) -> list[dict[str, Any]]:
    """For each of K numbers, of `predicted` (N, K) and true `y` (N, K) in their own unit:

    bias, mae, rmse   mean of predicted - true, of its absolute value, and the root of the mean of its square
    quantiles         the 2.5, 25, 50, 75 and 97.5 % quantiles of predicted - true
    correlation       of |predicted - true| with the prediction (None: one of them is constant); far from 0, larger
                      numbers are more, or less, certain
    points            at most POINTS pairs of true and predicted, evenly spaced in the part
    worst             the `most` examples that are furthest off: place, true, predicted
    """
    found = []
    for k in range(y.shape[1]):
        error = predicted[:, k] - y[:, k]
        size = np.abs(error)
        furthest = np.argsort(-size, kind="stable")[:most]
        spaced = np.unique(np.linspace(0, len(y) - 1, min(POINTS, len(y))).round().astype(int))
        constant = np.ptp(size) == 0 or np.ptp(predicted[:, k]) == 0
        found.append(
            {
                "bias": float(error.mean()),
                "mae": float(size.mean()),
                "rmse": float(np.sqrt(np.square(error).mean())),
                "quantiles": np.quantile(error, [0.025, 0.25, 0.5, 0.75, 0.975]).tolist(),
                "correlation": None if constant else float(np.corrcoef(size, predicted[:, k])[0, 1]),
                "points": [[float(y[i, k]), float(predicted[i, k])] for i in spaced],
                "worst": [
                    {"place": int(i), "true": float(y[i, k]), "answer": float(predicted[i, k])} for i in furthest
                ],
            }
        )
    return found
