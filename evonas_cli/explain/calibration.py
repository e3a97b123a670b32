"""Calibration: whether a probability of 80 % is right in 80 of 100 cases.

Reliability diagram and expected calibration error with bins of equal width (Guo, Pleiss, Sun and Weinberger, "On
Calibration of Modern Neural Networks", ICML 2017, equations 1 to 3). The error is above 0 for a calibrated network,
too, since a bin's accuracy is one of few examples; so the error that such a network would have is drawn beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 15
"""As in the paper."""
DRAWS = 1000
_SEED = 20170615


def calibration(confidence: Floats, right: NDArray[np.bool_], bins: int = BINS) -> dict[str, Any]:
    """Of N answers with `confidence` (N,), in [0, 1], and whether each is `right` (N,):

    bins      for each bin that holds an answer: its ends `low` and `high`, `count`, mean `confidence`, `accuracy`
    ece       the expected calibration error: mean distance of accuracy and confidence over the bins, by their counts
    chance    that error for a network whose confidences are exact: the 97.5 % quantile of DRAWS draws of its answers
    accuracy, confidence   their means over all answers

    Raises ValueError for no answer.
    """
    if not len(confidence):
        raise ValueError("there is no answer to be calibrated")
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    sums: Floats = np.bincount(place, weights=confidence, minlength=bins).astype(np.float64)
    hits = np.bincount(place, weights=right.astype(float), minlength=bins)
    found = [
        {
            "low": k / bins,
            "high": (k + 1) / bins,
            "count": int(counts[k]),
            "confidence": float(sums[k] / counts[k]),
            "accuracy": float(hits[k] / counts[k]),
        }
        for k in range(bins)
        if counts[k]
    ]
    return {
        "bins": found,
        "ece": float(np.abs(hits - sums).sum() / len(confidence)),
        "chance": _chance(confidence, place, sums, bins),
        "accuracy": float(right.mean()),
        "confidence": float(confidence.mean()),
    }


def _chance(confidence: Floats, place: NDArray[np.signedinteger[Any]], sums: Floats, bins: int) -> float:
    """The error that a calibrated network exceeds once in 40 times; its draws have a seed of their own."""
    rng, errors = np.random.default_rng(_SEED), []
    for _ in range(DRAWS):
        hits = np.bincount(place, weights=rng.random(len(confidence)) < confidence, minlength=bins)
        errors.append(np.abs(hits - sums).sum() / len(confidence))
    return float(np.quantile(errors, 0.975))


def softmax(scores: Floats) -> Floats:
    """Probabilities, (N, C), of scores (N, C)."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: Floats = raised / raised.sum(axis=1, keepdims=True)
    return found
