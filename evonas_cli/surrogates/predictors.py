"""Models that predict the losses of genomes from those of genomes that were evaluated, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, TypeAlias

import numpy as np

from evonas_cli.surrogates import ensemble, ridge
from evonas_cli.surrogates.encodings import Encoding
from evonas_cli.surrogates.gaussian_process import Array
from evonas_cli.surrogates.seen import fenced

Predict: TypeAlias = Callable[[Array], Array]
"""From (m, f) features to (m,) losses."""
Fit: TypeAlias = Callable[[Array, Array, Random], Predict]
"""From (n, f) features and (n,) losses to what predicts others."""

PLACES = 9
"""Decimal places of a predicted loss, in standard deviations of the losses: what lies behind them is rounding."""


def _ridge(features: Array, losses: Array, rng: Random) -> Predict:
    return ridge.fit(features, losses).predict


def _mlp(features: Array, losses: Array, rng: Random) -> Predict:
    trained = ensemble.train(features, losses, rng)
    return lambda others: trained.moments(others)[0]


PREDICTORS: Mapping[str, Fit] = {"ridge": _ridge, "mlp": _mlp}
"""`ridge` is a linear model (`ridge.py`), `mlp` the mean of five small networks (`ensemble.py`)."""


def predicted(
    fit: Fit, encoding: Encoding[Any], told: Sequence[Any], losses: Array, asked: Sequence[Any], rng: Random
) -> list[tuple[float, ...]]:
    """The losses of m genomes, each objective by a model of its own, from n genomes and their losses (n, objectives).

    Bad outliers are put at their fence (`seen.fenced`).
    """
    features, others = encoding.features(told, asked)
    columns = []
    for column in fenced(losses).T:
        mean, deviation = float(column.mean()), float(column.std()) or 1.0
        standard = fit(features, (column - mean) / deviation, rng)(others)
        columns.append(np.round(standard, PLACES) * deviation + mean)
    return [tuple(row) for row in np.stack(columns, axis=1).tolist()]
