"""Which groups of features a loss depends on: permutation importance of a ridge regression, on rows it has not seen.

The rows are divided into folds; a regression learns from all folds but one and predicts that one. A group's importance
is how much the squared error on the left-out fold rises when its columns are shuffled together among the fold's rows
(Breiman, "Random Forests", Machine Learning, 2001; for any model Fisher, Rudin and Dominici, JMLR, 2019), as a share
of the variance of the losses. A group that the regression does not use has 0; noise makes some slightly negative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from evonas_cli.surrogates import ridge
from evonas_cli.surrogates.gaussian_process import Array

FOLDS = 5
REPEATS = 20


@dataclass(frozen=True, slots=True)
class Importance:
    """`predicted` are the losses of n rows, each by a regression that has not seen it; `shares` the mean importance of
    each group, `spread` its standard deviation over the shuffles."""

    predicted: Array
    shares: Mapping[str, float]
    spread: Mapping[str, float]


def importance(
    features: Array, losses: Array, groups: Mapping[str, Sequence[int]], rng: Random, repeats: int = REPEATS
) -> Importance:
    """Of n rows of features, (n, f), with losses, (n,), and the columns of each group.

    Raises ValueError for fewer than two rows a fold, or losses that are all equal.
    """
    n, total = len(losses), float(losses.var())
    if n < 2 * FOLDS or not total:
        raise ValueError(f"{n} rows whose losses {'vary' if total else 'are equal'} are too little to learn from")
    order = list(range(n))
    rng.shuffle(order)
    folds = [np.array(sorted(order[k::FOLDS])) for k in range(FOLDS)]
    predicted, rises = np.zeros(n), {name: np.zeros(repeats) for name in groups}
    for fold in folds:
        rest = np.setdiff1d(np.arange(n), fold)
        model = ridge.fit(features[rest], losses[rest])
        predicted[fold] = model.predict(features[fold])
        before = np.square(predicted[fold] - losses[fold]).sum()
        for name, columns in groups.items():
            for repeat in range(repeats):
                shuffled = features[fold].copy()
                turned = list(range(len(fold)))
                rng.shuffle(turned)
                shuffled[:, columns] = features[fold][turned][:, columns]
                rises[name][repeat] += np.square(model.predict(shuffled) - losses[fold]).sum() - before
    shares = {name: rise / (n * total) for name, rise in rises.items()}
    return Importance(
        predicted,
        {name: float(share.mean()) for name, share in shares.items()},
        {name: float(share.std()) for name, share in shares.items()},
    )
