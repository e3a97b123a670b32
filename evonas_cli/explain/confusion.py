"""Which classes are taken for which, and the examples that a classifier is most wrong about."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.explain.calibration import Floats

PAIRS = 5
"""Confusions that are named."""


def confusion(probabilities: Floats, y: NDArray[np.int64]) -> dict[str, Any]:
    """Of probabilities (N, C) and classes (N,):

    matrix    C rows of true classes with C counts of answers
    recall, precision   of each class; None where it has no example, or no answer
    pairs     the most frequent confusions: true class, answer, how many, and which share of the true class
    """
    classes = probabilities.shape[1]
    answers = probabilities.argmax(axis=1)
    matrix = np.zeros((classes, classes), dtype=int)
    np.add.at(matrix, (y, answers), 1)
    rows, columns = matrix.sum(axis=1), matrix.sum(axis=0)
    wrong = [
        (int(matrix[a, b]), a, b) for a in range(classes) for b in range(classes) if a != b and matrix[a, b] > 0
    ]  # fmt: skip
    wrong.sort(key=lambda one: (-one[0], one[1], one[2]))
    return {
        "matrix": matrix.tolist(),
        "recall": [float(matrix[k, k] / rows[k]) if rows[k] else None for k in range(classes)],
        "precision": [float(matrix[k, k] / columns[k]) if columns[k] else None for k in range(classes)],
        "pairs": [
            {"true": a, "answer": b, "count": count, "share": float(count / rows[a])} for count, a, b in wrong[:PAIRS]
        ],
    }


def worst(probabilities: Floats, y: NDArray[np.int64], most: int) -> list[dict[str, Any]]:
    """The `most` wrong answers whose true class has the least probability, that is the greatest loss, the worst first:
    place in the part, true class, answer, and the probabilities of both."""
    answers, own = probabilities.argmax(axis=1), probabilities[np.arange(len(y)), y]
    order = [int(place) for place in np.argsort(own, kind="stable") if answers[place] != y[place]]
    return [
        {
            "place": place,
            "true": int(y[place]),
            "answer": int(answers[place]),
            "probability": float(own[place]),
            "answered": float(probabilities[place, answers[place]]),
        }
        for place in order[:most]
    ]
