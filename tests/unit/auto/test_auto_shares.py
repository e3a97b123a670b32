"""The division of a budget: whatever steps take within their seconds, the whole stays within the budget."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.auto.shares import (
    FINALS,
    LEAST,
    MOST_SEEDS,
    SHARES,
    SLACK,
    SLOWER,
    STEPS,
    TUNE_EVOLVED,
    TUNE_NAIVE,
    WANTED,
    available,
    budget_for,
    epochs_for,
    largest_network,
    least_seconds,
    most_training,
    population_for,
    samples_for,
    seconds_for,
    seeds_for,
    valid_fraction_for,
)

SECONDS = st.floats(0.01, 1e5)


def test_shares_are_a_whole_and_both_tunings_equal() -> None:
    assert sum(SHARES.values()) == pytest.approx(1.0)
    assert SHARES[TUNE_NAIVE] == SHARES[TUNE_EVOLVED]


@given(st.floats(10.0, 1e5), st.floats(0.0, 1.0), st.lists(st.floats(0.0, 1.0), min_size=7, max_size=7))
def test_steps_that_keep_to_their_seconds_keep_to_the_budget(left: float, start: float, used: list[float]) -> None:
    whole = left
    for step, share in zip(SHARES, used, strict=True):
        given_to_it = seconds_for(step, left, start)
        assert given_to_it > 0
        left -= start + share * given_to_it
        assert left >= -1e-6 * whole - start * len(SHARES) * LEAST - 1.0


@given(st.floats(100.0, 1e5), st.floats(0.0, 2.0))
def test_what_is_left_of_a_step_goes_to_later_ones(left: float, start: float) -> None:
    first, rest = STEPS[1], STEPS[2:]
    given_to_it = seconds_for(first, left, start)
    later = left - start - given_to_it
    assert given_to_it + sum(SHARES[step] for step in rest) / SHARES[first] * given_to_it == pytest.approx(
        left - start * len(SHARES)
    )
    assert seconds_for(rest[0], later + 10.0, start) > seconds_for(rest[0], later, start)


@given(SECONDS, st.lists(SECONDS, min_size=4, max_size=4), st.floats(0.0, 5.0), st.integers(1, 16))
def test_seeds_fit_into_what_is_left(left: float, trainings: list[float], start: float, slots: int) -> None:
    seeds = seeds_for(left, trainings, start, slots)
    assert 1 <= seeds <= MOST_SEEDS
    rounds = ceil(seeds / slots)
    assert rounds == 1 or rounds * SLACK * sum(trainings) + start * len(trainings) <= left * (1 + 1e-9)


def test_no_slot_is_idle_at_the_end() -> None:
    assert [seeds_for(1.0, [9.0, 9.0], 0.0, slots) for slots in (1, 2, 16)] == [1, 2, MOST_SEEDS]


@given(st.floats(20.0, 1e5), st.floats(0.01, 1.0))
def test_the_slowest_network_that_is_chosen_can_be_trained_at_the_end(left: float, naive: float) -> None:
    most = most_training(left, naive)
    finals = left * sum(SHARES[name] for name in FINALS)
    assert 2 * (most + naive) == pytest.approx(finals)


@given(st.floats(0.01, 1e3), st.floats(1.0, 2.0), st.integers(1, 64), st.floats(0.0, 10.0), st.floats(1.0, 60.0))
def test_the_least_budget_gives_each_step_its_trainings(
    training: float, growth: float, slots: int, start: float, export: float
) -> None:
    steps = least_seconds(training, growth, slots, start)
    budget = budget_for(steps, export)
    assert available(budget, export) == pytest.approx(steps)
    left = steps - training - start
    assert seconds_for(STEPS[1], left, start) * slots >= 4 * training * 0.999
    assert seconds_for(TUNE_NAIVE, left, start) * slots >= 2 * training * 0.999
    assert most_training(left - start * len(SHARES), growth * training) >= growth * training * 0.999


@given(SECONDS, SECONDS, SECONDS)
def test_a_search_with_time_for_few_trainings_has_time_for_a_population(
    seconds: float, naive: float, most: float
) -> None:
    times = largest_network(seconds, naive, most)
    assert (times is None) == (seconds >= WANTED * SLOWER * naive)
    if times is not None and times > 1:
        assert times * naive <= most * (1 + 1e-9)
        assert 4 * times * naive <= seconds * (1 + 1e-9)


def test_the_largest_network_of_a_search() -> None:
    assert largest_network(480.0, 60.0, 200.0) == 2.0
    assert largest_network(480.0, 60.0, 90.0) == 1.5, "what a final training may take"
    assert largest_network(100.0, 60.0, 90.0) == 1.0, "at least the plain network's size"
    assert largest_network(24 * 3 * 60.0, 60.0, 90.0) is None


def test_epochs_population_samples_and_validation() -> None:
    assert epochs_for(1800, 0.1, 17, 2, 1.3, 8.0) == 60, "1,078 digits make 17 updates an epoch"
    assert epochs_for(1800, 8.0, 844, 2, 1.1, 8.0) == 3, "54,000 images"
    assert epochs_for(7200, 8.0, 844, 2, 1.1, 8.0) == 8, "the same with more time"
    assert epochs_for(60, 8.0, 844, 2, 1.1, 0.0) == 1
    few = epochs_for(120, 1.0, 17, 1, 1.3, 0.0)
    assert 2 < few < 8 and least_seconds(few * 1.0, 1.3, 1, 0.0) <= 120, "fewer trainings before too few epochs"
    assert [population_for(n) for n in (3.0, 30.0, 1000.0)] == [4, 7, 12]
    assert [samples_for(n) for n in (1.0, 12.0, 1000.0)] == [2, 4, 10]
    assert [valid_fraction_for(n) for n in (100, 1000, 5000, 50000)] == [0.3, 0.3, 0.1, 0.01]
