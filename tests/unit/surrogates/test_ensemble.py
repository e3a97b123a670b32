"""The ensemble: its gradient, what it learns, and that it is a function of its arguments."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from evonas_cli.surrogates import ensemble


def bits(count: int, seed: int) -> tuple[ensemble.Array, ensemble.Array]:
    features = np.random.RandomState(seed).randint(0, 2, (count, 12)).astype(float)
    return features, 5 + features[:, :6].sum(axis=1) - 2 * features[:, 0] * features[:, 1]


def test_it_predicts_bits_that_it_has_not_seen_and_knows_where_it_was_told() -> None:
    told, new = bits(120, 0), bits(60, 1)
    trained = ensemble.train(*told, Random(0))
    mean, deviation = trained.moments(new[0])
    assert np.corrcoef(mean, new[1])[0, 1] > 0.9
    assert trained.moments(told[0])[1].mean() < deviation.mean()
    assert np.abs(trained.predict(told[0]) - told[1]).mean() < 0.25


def test_the_same_arguments_give_the_same_networks_and_other_seeds_others() -> None:
    features, losses = bits(40, 0)
    first, again, other = [ensemble.train(features, losses, Random(seed)).predict(features) for seed in (1, 1, 2)]
    assert (first == again).all() and (first != other).any()


def test_members_differ() -> None:
    features, losses = bits(40, 0)
    predicted = ensemble.train(features, losses, Random(1)).predict(bits(40, 1)[0])
    assert len({row.tobytes() for row in predicted}) == ensemble.MEMBERS


def test_the_gradient_is_that_of_the_mean_absolute_error() -> None:
    draws = np.random.RandomState(0)
    sizes = [7, ensemble.WIDTH, ensemble.WIDTH, 1]
    parameters, layers = ensemble._views(sizes)
    gradient, slopes = ensemble._views(sizes)
    parameters[:] = draws.normal(0, 0.3, parameters.shape)
    inputs, targets = draws.normal(size=(ensemble.MEMBERS, 9, 7)), draws.normal(size=(ensemble.MEMBERS, 9, 1))

    def error() -> float:
        return float(np.abs(ensemble._forward(layers, inputs)[-1] - targets).mean(axis=(1, 2)).sum())

    ensemble._backward(layers, slopes, ensemble._forward(layers, inputs), targets)
    for place in draws.choice(len(parameters), 40, replace=False):
        parameters[place] += 1e-6
        up = error()
        parameters[place] -= 2e-6
        assert (up - error()) / 2e-6 == pytest.approx(gradient[place], abs=1e-4)
        parameters[place] += 1e-6


def test_equal_losses_are_predicted_as_they_are() -> None:
    features, _ = bits(20, 0)
    trained = ensemble.train(features, np.full(20, 3.0), Random(0))
    assert trained.scale == 1.0 and np.abs(trained.predict(features) - 3.0).max() < 1.5
