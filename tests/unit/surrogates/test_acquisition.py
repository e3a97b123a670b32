"""Acquisition functions: their laws, their integrals, and the hypervolume that they expect."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.hypervolume import hypervolume
from evonas_cli.surrogates.acquisition import (
    confidence_bound,
    expected_improvement,
    independent_thompson,
    ranking,
    thompson,
)
from evonas_cli.surrogates.several_objectives import expected_hypervolume_improvement, random_weights, scalarized

NUMBERS = st.floats(-100, 100)
DEVIATIONS = st.floats(0, 50)
SHARES = st.floats(0, 1)


def improvement(mean: float, deviation: float, best: float) -> float:
    return float(expected_improvement(np.array([mean]), np.array([deviation]), best)[0])


@given(NUMBERS, DEVIATIONS, NUMBERS)
def test_improvement_is_at_least_that_of_the_mean_and_at_most_a_deviation_more(
    mean: float, deviation: float, best: float
) -> None:
    found, sure = improvement(mean, deviation, best), max(0.0, best - mean)
    assert sure - 1e-9 <= found <= sure + 0.4 * deviation + 1e-9


@given(NUMBERS, DEVIATIONS, NUMBERS, st.floats(0, 10))
def test_improvement_grows_with_doubt_and_falls_with_the_mean(
    mean: float, deviation: float, best: float, more: float
) -> None:
    found = improvement(mean, deviation, best)
    assert improvement(mean, deviation + more, best) >= found - 1e-9
    assert improvement(mean + more, deviation, best) <= found + 1e-9


def test_improvement_is_the_integral_that_its_name_says() -> None:
    draws = np.random.RandomState(0).normal(0.3, 0.5, 10**6)
    assert improvement(0.3, 0.5, 0.1) == pytest.approx(np.maximum(0.1 - draws, 0).mean(), rel=0.01)


def test_the_bound_is_the_mean_less_some_deviations() -> None:
    assert confidence_bound(np.array([3.0, 1.0]), np.array([1.0, 0.0]), 2.0).tolist() == [-1.0, -1.0]


def test_draws_have_the_moments_they_are_drawn_with() -> None:
    rng, mean = Random(0), np.array([1.0, -2.0])
    covariance = np.array([[1.0, 0.9], [0.9, 1.0]])
    joint = np.array([thompson(mean, covariance, rng) for _ in range(4000)])
    assert joint.mean(axis=0) == pytest.approx(-mean, abs=0.06)
    assert np.cov(joint.T) == pytest.approx(covariance, abs=0.06)
    single = np.array([independent_thompson(mean, np.array([1.0, 0.1]), rng) for _ in range(4000)])
    assert single.std(axis=0) == pytest.approx([1.0, 0.1], rel=0.05)
    assert abs(np.corrcoef(single.T)[0, 1]) < 0.05


def test_scores_that_differ_by_rounding_stand_by_place() -> None:
    assert ranking(np.array([1.0, 2.0, 2.0 + 1e-12, 3.0])) == [3, 1, 2, 0]
    assert ranking(np.array([0.0, 0.0])) == [0, 1]


@st.composite
def fronts(draw: st.DrawFn) -> tuple[list[list[float]], int]:
    count = draw(st.integers(1, 3))
    point = st.lists(SHARES, min_size=count, max_size=count)
    return draw(st.lists(point, max_size=6)), count


@given(fronts(), st.data())
def test_what_is_certain_improves_the_hypervolume_by_what_it_adds(
    front: tuple[list[list[float]], int], data: st.DataObject
) -> None:
    points, count = front
    mean, reference = data.draw(st.lists(SHARES, min_size=count, max_size=count)), [0.9] * count
    found = expected_hypervolume_improvement(np.array([mean]), np.zeros((1, count)), points, reference)[0]
    assert found == pytest.approx(hypervolume([*points, mean], reference) - hypervolume(points, reference), abs=1e-9)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_expected_improvement_of_the_hypervolume_is_its_mean_over_draws(count: int) -> None:
    draws = np.random.RandomState(count)
    front, reference = draws.uniform(size=(5, count)).tolist(), [1.0] * count
    means, deviations = draws.uniform(size=(1, count)), draws.uniform(0.05, 0.3, size=(1, count))
    before = hypervolume(front, reference)
    samples = draws.normal(means, deviations, size=(4000, count))
    seen = np.mean([hypervolume([*front, one], reference) - before for one in samples.tolist()])
    found = expected_hypervolume_improvement(means, deviations, front, reference)[0]
    assert found == pytest.approx(seen, rel=0.12, abs=0.002)


@given(st.lists(st.tuples(SHARES, SHARES), min_size=2, max_size=10), st.integers(0, 10**6))
def test_a_dominated_point_never_has_the_smaller_norm(points: list[tuple[float, float]], seed: int) -> None:
    losses, weights = np.array(points), random_weights(2, Random(seed))
    assert sum(weights) == pytest.approx(1) and min(weights) >= 0
    norms = scalarized(losses, weights)
    for first, ours in zip(losses, norms, strict=True):
        for second, theirs in zip(losses, norms, strict=True):
            assert not (first <= second).all() or ours <= theirs + 1e-12
