"""The Gaussian process: scikit-learn's numbers, any distance, and fantasies that are what telling would give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from evonas_cli.surrogates.gaussian_process import LENGTHS, NEAR, NOISES, Array, Exponential, clipped, fit


def data(seed: int) -> tuple[Array, Array, Array]:
    """Points told, their values, new points."""
    draws = np.random.RandomState(seed)
    count, width = draws.randint(3, 40), draws.randint(1, 6)
    told, new = draws.normal(size=(count, width)), draws.normal(size=(9, width))
    return told, 3 * np.sin(told.sum(axis=1)) + draws.normal(0, 0.1, count) + 7, new


def oracle(told: Array, values: Array, length: float, noise: float) -> GaussianProcessRegressor:
    """scikit-learn's process with exp(-d / length): Matern with nu = 1/2."""
    kernel = Matern(length, "fixed", nu=0.5)
    return GaussianProcessRegressor(kernel, alpha=noise, optimizer=None, normalize_y=True).fit(told, values)


@pytest.mark.parametrize("seed", range(20))
def test_it_predicts_what_scikit_learn_does_and_takes_the_most_likely_of_the_grid(seed: int) -> None:
    told, values, new = data(seed)
    process = fit(cdist(told, told), values)
    posterior, theirs = process.posterior(cdist(told, new)), oracle(told, values, process.parameters[0], process.noise)
    mean, deviation = theirs.predict(new, return_std=True)
    assert posterior.mean == pytest.approx(mean, rel=1e-9)
    assert posterior.deviation == pytest.approx(deviation, rel=1e-6)
    assert process.evidence == pytest.approx(theirs.log_marginal_likelihood_value_, rel=1e-9)
    covariance = theirs.predict(new, return_cov=True)[1]
    assert posterior.covariance(cdist(new, new)) == pytest.approx(covariance, rel=1e-6, abs=1e-9)
    assert process.smoothed == pytest.approx(theirs.predict(told), rel=1e-9)
    middle = float(np.median(cdist(told, told)[cdist(told, told) > 0]))
    likelihoods = [
        oracle(told, values, middle * length, noise).log_marginal_likelihood_value_
        for length in LENGTHS
        for noise in NOISES
    ]
    assert process.evidence >= max(likelihoods) - 2 * NEAR


def test_it_returns_the_values_where_it_was_told_and_the_prior_far_away() -> None:
    told, values = np.array([[0.0], [1.0], [2.0]]), np.array([3.0, -1.0, 4.0])
    process = fit(cdist(told, told), values, noises=[1e-10])
    near, far = process.posterior(cdist(told, told)), process.posterior(cdist(told, [[1e6]]))
    assert near.mean == pytest.approx(values, abs=1e-6) and near.deviation == pytest.approx(0, abs=1e-3)
    assert far.mean == pytest.approx(values.mean()) and far.deviation == pytest.approx(values.std())


@pytest.mark.parametrize("seed", range(5))
def test_a_fantasy_is_what_telling_the_mean_would_give(seed: int) -> None:
    told, values, new = data(seed)
    process = fit(cdist(told, told), values)
    posterior = process.posterior(cdist(told, new))
    for index in (2, 5):
        told, values = np.vstack([told, new[index]]), np.append(values, posterior.mean[index])
        posterior = posterior.believing(index, cdist(new[index : index + 1], new)[0])
        kernel = process.kernel.covariance(cdist(told, told), process.parameters)
        solved = np.linalg.inv(kernel + process.noise * np.eye(len(told)))
        cross = process.kernel.covariance(cdist(told, new), process.parameters)
        mean = cross.T @ solved @ ((values - process.shift) / process.scale)
        assert posterior.means == pytest.approx(mean, rel=1e-6, abs=1e-9)
        assert posterior.variances == pytest.approx(1 - np.sum(cross * (solved @ cross), axis=0), abs=1e-9)


def test_equal_values_and_equal_points_give_finite_beliefs() -> None:
    apart = np.zeros((4, 4))
    for values in (np.full(4, 2.5), np.array([1.0, 2.0, 3.0, 4.0])):
        posterior = fit(apart, values).posterior(np.zeros((4, 2)))
        assert np.isfinite(posterior.mean).all() and np.isfinite(posterior.deviation).all()
        assert posterior.mean == pytest.approx(values.mean())


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12))
def test_a_clipped_matrix_has_no_negative_eigenvalue_and_is_the_projection_of_the_old_one(
    seed: int, count: int
) -> None:
    draws = np.random.RandomState(seed)
    apart = np.abs(draws.normal(size=(count, count)))
    covariance = np.exp(-(apart + apart.T) / draws.uniform(0.1, 5)) * (1 - np.eye(count)) + np.eye(count)
    repaired, projection = clipped(covariance)
    assert np.linalg.eigvalsh(repaired).min() >= -1e-9
    if projection is None:
        assert (repaired == covariance).all()
    else:
        assert np.linalg.eigvalsh(covariance).min() < 0
        assert projection @ covariance == pytest.approx(repaired, abs=1e-9)


def test_a_distance_that_is_no_metric_is_learned_from_all_the_same() -> None:
    draws = np.random.RandomState(0)
    apart = np.abs(draws.normal(size=(15, 15))) * 5
    apart = (apart + apart.T) * (1 - np.eye(15))
    assert np.linalg.eigvalsh(Exponential().covariance(apart, (30.0,))).min() < -0.01
    values = draws.normal(size=15)
    kernel = Exponential(lengths=(8.0,))
    process = fit(apart, values, definite=False, kernel=kernel, noises=[1e-3])
    assert process.clip is not None
    posterior = process.posterior(apart)
    assert posterior.mean == pytest.approx(process.smoothed)
    assert (posterior.variances >= 0).all()
