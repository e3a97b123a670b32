"""Novelty by hand and by its laws; who enters an archive, in which order, and who leaves a full one."""

from __future__ import annotations

from math import dist
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.evolution.behaviour import Point
from evonas_cli.evolution.novelty import RULES, Entry, novelty

NUMBERS = st.integers(-50, 50).map(float)
DESCRIPTORS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=12)
NEIGHBOURS = st.integers(1, 20)


def points(descriptors: list[tuple[float, ...]], first: int = 0) -> list[Point]:
    return [Point(id, descriptor) for id, descriptor in enumerate(descriptors, first)]


def test_the_mean_of_the_nearest_in_population_and_archive() -> None:
    population, archive = points([(0.0,), (1.0,), (5.0,)]), points([(2.0,), (9.0,)], first=10)
    assert novelty(population, archive, 1) == [1.0, 1.0, 3.0]
    assert novelty(population, archive, 2) == [1.5, 1.0, 3.5]
    assert novelty(population, archive, 99) == [17 / 4, 14 / 4, 16 / 4]


def test_whoever_is_in_the_archive_too_counts_once_and_not_for_itself() -> None:
    population = points([(0.0,), (4.0,)])
    assert novelty(population, population[:1], 2) == [4.0, 4.0]
    assert novelty(population[:1], population[:1], 3) == [0.0]


@given(st.tuples(NUMBERS, NUMBERS), st.integers(1, 9), st.integers(0, 9), NEIGHBOURS)
def test_equal_behaviours_are_not_novel(descriptor: tuple[float, float], n: int, n_archived: int, k: int) -> None:
    found = novelty(points([descriptor] * n), points([descriptor] * n_archived, first=n), k)
    assert found == [0.0] * n


@given(DESCRIPTORS, DESCRIPTORS, NEIGHBOURS, st.randoms(use_true_random=False))
def test_the_order_of_the_others_does_not_matter(
    descriptors: list[tuple[float, ...]], archived: list[tuple[float, ...]], k: int, rng: Random
) -> None:
    population, archive = points(descriptors), points(archived, first=100)
    found = dict(zip(population, novelty(population, archive, k), strict=True))
    shuffled = rng.sample(population, len(population))
    again = novelty(shuffled, rng.sample(archive, len(archive)), k)
    assert dict(zip(shuffled, again, strict=True)) == found


@given(DESCRIPTORS, NEIGHBOURS)
def test_novelty_lies_between_the_nearest_and_the_farthest_and_grows_with_k(
    descriptors: list[tuple[float, ...]], k: int
) -> None:
    population = points(descriptors)
    found, more = novelty(population, (), k), novelty(population, (), k + 1)
    for point, near, far in zip(population, found, more, strict=True):
        apart = [dist(point.descriptor, other.descriptor) for other in population if other is not point] or [0.0]
        assert min(apart) - 1e-9 <= near <= far + 1e-9 <= max(apart) + 2e-9


@given(
    st.sampled_from(RULES),
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 5).map(float)), unique_by=lambda one: one[0], max_size=20),
    st.integers(0, 12),
    st.floats(0, 1),
    st.randoms(use_true_random=False),
)
def test_an_archive_does_not_depend_on_the_order_in_which_newcomers_come(
    rule: str, given: list[tuple[int, float]], capacity: int, share: float, rng: Random
) -> None:
    novelties = dict(given)
    newcomers, before = [Point(id, (value,)) for id, value in given], points([(7.0,)] * 3, first=1000)
    entry = Entry(rule, 2.0, share, capacity)
    grown = entry.grown(before, newcomers, novelties, Random(4))
    shuffled = rng.sample(newcomers, len(newcomers))
    assert entry.grown(before, shuffled, dict(rng.sample(given, len(given))), Random(4)) == grown
    assert len(grown) <= capacity
    entered = [point for point in grown if point.id < 1000]
    assert [point.id for point in entered] == sorted(point.id for point in entered)
    assert tuple(grown[: len(grown) - len(entered)]) == tuple(before[3 - (len(grown) - len(entered)) :])


def test_who_enters_by_each_rule() -> None:
    novelties = {3: 1.0, 4: 5.0, 5: 2.0, 6: 5.0}
    newcomers = [Point(id, (value,)) for id, value in novelties.items()]

    def entered(rule: str, share: float, capacity: int = 9) -> list[int]:
        return [point.id for point in Entry(rule, 2.0, share, capacity).grown((), newcomers, novelties, Random(0))]

    assert entered("threshold", 0.0) == [4, 5, 6]
    assert entered("best", 0.25) == [4] and entered("best", 0.26) == [4, 6] and entered("best", 0.0) == []
    assert entered("random", 1.0) == [3, 4, 5, 6] and entered("random", 0.0) == []
    assert entered("threshold", 0.0, capacity=2) == [5, 6] and entered("threshold", 0.0, capacity=0) == []


def test_the_random_share_is_a_probability() -> None:
    rng, newcomers = Random(1), points([(0.0,)] * 1000)
    archive = Entry("random", 0.0, 0.05, 10_000).grown((), newcomers, {}, rng)
    assert len(archive) == pytest.approx(50, abs=25)
