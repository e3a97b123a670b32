"""Dominance and the front, against brute force."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.pareto import Front, Point, dominates

# few values, so that ties, duplicates and dominance are all frequent
COORDINATE = st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0, 2.0, float("inf")])


def vectors(n_objectives: int) -> st.SearchStrategy[list[tuple[float, ...]]]:
    return st.lists(st.tuples(*[COORDINATE] * n_objectives), max_size=25)


def brute_force(points: list[Point]) -> tuple[Point, ...]:
    def beaten(point: Point) -> bool:
        return any(
            (all(x <= y for x, y in zip(o.losses, point.losses, strict=True)) and o.losses != point.losses)
            or (o.losses == point.losses and o.id < point.id)
            for o in points
        )

    return tuple(sorted((p for p in points if not beaten(p)), key=lambda p: (p.losses, p.id)))


@given(st.integers(1, 4).flatmap(vectors), st.randoms(use_true_random=False))
def test_front_is_that_of_brute_force_in_any_order(losses: list[tuple[float, ...]], shuffler: Random) -> None:
    points = [Point(id, vector) for id, vector in enumerate(losses)]
    expected = brute_force(points)
    for _ in range(3):
        front = Front()
        for point in points:
            front.add(*point)
        assert front.members == expected
        assert repr(front.members) == repr(expected)  # 0.0 and -0.0 are equal losses; the kept id keeps its own
        shuffler.shuffle(points)


@given(st.integers(1, 4).flatmap(vectors))
def test_add_says_whether_the_point_is_in(losses: list[tuple[float, ...]]) -> None:
    front = Front()
    for id, vector in enumerate(losses):
        kept = front.add(id, vector)
        assert kept == (Point(id, vector) in front.members)


@given(st.lists(COORDINATE, min_size=3, max_size=3), st.lists(COORDINATE, min_size=3, max_size=3))
def test_dominance_is_a_strict_order(a: list[float], b: list[float]) -> None:
    assert not dominates(a, a)
    assert not (dominates(a, b) and dominates(b, a))
    assert dominates(a, b) == (a != b and all(x <= y for x, y in zip(a, b, strict=True)))


def test_dominance_by_hand() -> None:
    assert dominates((1.0, 2.0), (1.0, 3.0))
    assert not dominates((1.0, 2.0), (0.5, 3.0))
    assert not dominates((float("nan"), 1.0), (0.0, 2.0))
    assert not dominates((0.0, 1.0), (float("nan"), 2.0))
    with pytest.raises(ValueError, match="1 losses cannot be compared with 2"):
        dominates((1.0,), (1.0, 2.0))


def test_of_twins_the_smallest_id_stays() -> None:
    front = Front()
    assert front.add(5, (1.0, 1.0))
    assert not front.add(7, (1.0, 1.0))
    assert front.add(3, (1.0, 1.0))
    assert front.members == (Point(3, (1.0, 1.0)),)
    assert front.add(9, (0.0, 1.0))
    assert front.members == (Point(9, (0.0, 1.0)),)


def test_what_is_no_loss_vector_is_refused_and_changes_nothing() -> None:
    front = Front()
    front.add(0, (1.0, 2.0))
    for losses in ((float("nan"), 0.0), (0.0, float("nan")), (0.0,), (0.0, 0.0, 0.0), ()):
        with pytest.raises(ValueError, match="candidate 1 has"):
            front.add(1, losses)
    assert front.members == (Point(0, (1.0, 2.0)),)
    with pytest.raises(ValueError, match="NaN"):
        Front().add(1, (float("nan"),))
