"""Surprise: clusters that follow those before, their linear prediction, the distance from it."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.types import Descriptor
from evonas_cli.evolution.surprise import centres, nearest, predicted, surprise

NUMBERS = st.integers(-20, 20).map(float)
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=15)


def test_two_clusters_are_found_followed_and_predicted() -> None:
    before = centres([(0.0,), (2.0,), (10.0,), (12.0,)], (), 2, Random(1))
    assert sorted(before) == [(1.0,), (11.0,)]
    now = centres([(1.0,), (3.0,), (13.0,), (15.0,)], before, 2, Random(1))
    assert [dict(zip(before, now, strict=True))[centre] for centre in ((1.0,), (11.0,))] == [(2.0,), (14.0,)]
    expected = predicted(before, now)
    assert sorted(expected) == [(3.0,), (17.0,)]
    assert [surprise(point, expected) for point in ((3.0,), (5.0,), (18.5,))] == [0.0, 2.0, 1.5]


def test_without_a_prediction_nothing_surprises() -> None:
    assert surprise((3.0, 4.0), ()) == 0.0
    assert predicted((), ()) == ()


@given(POINTS, st.integers(1, 6), st.integers())
def test_clusters_have_settled_and_there_are_no_more_than_different_points(
    points: list[Descriptor], k: int, seed: int
) -> None:
    found = centres(points, (), k, Random(seed))
    assert len(found) == min(k, len(set(points)))
    assert centres(points, found, k, Random(seed + 1)) == found
    assert centres((), found, k, Random(seed)) == found
    low, high = [[end(numbers) for numbers in zip(*points, strict=True)] for end in (min, max)]
    for centre in found:
        assert all(a - 1e-9 <= b <= c + 1e-9 for a, b, c in zip(low, centre, high, strict=True))


@given(POINTS, st.integers(1, 6), st.integers())
def test_who_stands_still_is_predicted_to_stand_still(points: list[Descriptor], k: int, seed: int) -> None:
    found = centres(points, (), k, Random(seed))
    assert predicted(found, found) == found
    assert all(surprise(centre, found) == 0 for centre in found)


def test_a_cluster_that_is_left_keeps_its_centre() -> None:
    assert centres([(0.0,), (1.0,)], ((0.4,), (99.0,)), 2, Random(0)) == ((0.5,), (99.0,))
    assert nearest((5.0,), ((4.0,), (6.0,))) == 0
