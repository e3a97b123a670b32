"""Ridge regression against the normal equations and leaving out one row after the other; predictors by name."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from evonas_cli.spaces.bits import Bits
from evonas_cli.surrogates import ridge
from evonas_cli.surrogates.encodings import GeneEncoding
from evonas_cli.surrogates.gaussian_process import Array
from evonas_cli.surrogates.predictors import PREDICTORS, predicted


def solved(features: Array, losses: Array, penalty: float, others: Array) -> Array:
    """Predictions by the normal equations."""
    center, mean = features.mean(0), losses.mean()
    x = features - center
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (losses - mean))
    found: Array = (others - center) @ weights + mean
    return found


@pytest.mark.parametrize("columns", [3, 30])
def test_the_regression_is_that_of_the_normal_equations(columns: int) -> None:
    draws = np.random.RandomState(columns)
    features, others = draws.normal(size=(12, columns)), draws.normal(size=(5, columns))
    losses = features[:, 0] - 2 * features[:, 1] + 0.1 * draws.normal(size=12)
    found = ridge.fit(features, losses)
    assert found.predict(others) == pytest.approx(solved(features, losses, found.penalty, others))


def test_the_penalty_has_the_least_error_of_rows_left_out() -> None:
    draws = np.random.RandomState(1)
    features = draws.normal(size=(40, 4))
    losses = features @ np.array([1.0, -1.0, 0.5, 0.0]) + draws.normal(size=40)
    errors = {}
    for penalty in ridge.PENALTIES:
        rest = [np.arange(40) != row for row in range(40)]
        left_out = [solved(features[r], losses[r], penalty, features[~r])[0] for r in rest]
        errors[penalty] = np.mean((losses - left_out) ** 2)
    # The formula shrinks towards the means of all rows, so it may differ from the plain loop by one step of the grid.
    chosen, best = ridge.fit(features, losses).penalty, min(errors, key=lambda penalty: errors[penalty])
    assert abs(ridge.PENALTIES.index(chosen) - ridge.PENALTIES.index(best)) <= 1
    assert errors[chosen] == pytest.approx(errors[best], rel=0.02)


@pytest.mark.parametrize("model", PREDICTORS)
def test_models_rank_genomes_that_they_have_not_seen(model: str) -> None:
    space, rng = Bits(10), Random(2)
    told, asked = ([space.sample(rng) for _ in range(count)] for count in (60, 30))
    losses = np.array([[10.0 - sum(genome), 100.0 * genome[0]] for genome in told])
    found = predicted(PREDICTORS[model], GeneEncoding(space), told, losses, asked, rng)
    assert [len(row) for row in found] == [2] * 30
    expected = [10.0 - sum(genome) for genome in asked]
    assert np.corrcoef([row[0] for row in found], expected)[0, 1] > 0.9


def test_equal_losses_are_predicted_as_such() -> None:
    space = Bits(4)
    told = [space.sample(Random(n)) for n in range(12)]
    found = predicted(PREDICTORS["ridge"], GeneEncoding(space), told, np.full((12, 1), 0.25), told[:2], Random(0))
    assert found == [(0.25,), (0.25,)]
