"""Which groups of features a loss depends on: permutation importance of a ridge regression, on rows it has not seen.

The rows are divided into folds; a regression learns from all folds but one and predicts that one, and so for several
divisions, since of few rows one division says little (repeated cross-validation). A group's importance is how much
the squared error on the left-out fold rises when its columns are shuffled together among the fold's rows (Breiman,
"Random Forests", Machine Learning, 2001; for any model Fisher, Rudin and Dominici, JMLR, 2019), as a share of the
variance of the losses. A group that the regression does not use has 0; noise makes some slightly negative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from evonas_cli.surrogates import ridge
from evonas_cli.surrogates.gaussian_process import Array

FOLDS = 5
DIVISIONS, SHUFFLES = 10, 10


@dataclass(frozen=True, slots=True)
class Importance:
    """`predicted` are the losses of n rows, each by regressions that have not seen it, their mean over the divisions;
    `shares` the mean importance of each group, `spread` its standard deviation over the divisions."""

    predicted: Array
    shares: Mapping[str, float]
    spread: Mapping[str, float]


def importance(features: Array, losses: Array, groups: Mapping[str, Sequence[int]], rng: Random) -> Importance:
    """Of n rows of features, (n, f), with losses, (n,), and the columns of each group.

    Raises ValueError for fewer than two rows a fold, or losses that are all equal.
    """
    n, total = len(losses), float(losses.var())
    if n < 2 * FOLDS or not total:
        raise ValueError(f"{n} rows whose losses {'vary' if total else 'are equal'} are too little to learn from")
    predicted, rises = np.zeros(n), {name: np.zeros(DIVISIONS) for name in groups}
    for division in range(DIVISIONS):
        for fold in _folds(n, rng):
            rest = np.setdiff1d(np.arange(n), fold)
            model = ridge.fit(features[rest], losses[rest])
            guess = model.predict(features[fold])
            predicted[fold] += guess / DIVISIONS
            before = float(np.square(guess - losses[fold]).sum())
            for name, columns in groups.items():
                rises[name][division] += _shuffled_error(model, features[fold], losses[fold], columns, rng) - before
    shares = {name: rise / (n * total) for name, rise in rises.items()}
    return Importance(
        predicted,
        {name: float(share.mean()) for name, share in shares.items()},
        {name: float(share.std()) for name, share in shares.items()},
    )


def _folds(n: int, rng: Random) -> list[NDArray[np.int64]]:
    order = list(range(n))
    rng.shuffle(order)
    return [np.array(sorted(order[k::FOLDS])) for k in range(FOLDS)]


def _shuffled_error(model: ridge.Ridge, features: Array, losses: Array, columns: Sequence[int], rng: Random) -> float:
    """The sum of squared errors with the columns shuffled together among the rows, its mean over the shuffles."""
    errors, turned = [], list(range(len(losses)))
    for _ in range(SHUFFLES):
        rng.shuffle(turned)
        shuffled = features.copy()
        shuffled[:, columns] = features[turned][:, columns]
        errors.append(float(np.square(model.predict(shuffled) - losses).sum()))
    return sum(errors) / SHUFFLES
