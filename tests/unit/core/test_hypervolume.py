"""Hypervolume by hand and against its definition, and reference points."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.hypervolume import hypervolume, reference_point

POINTS = st.integers(2, 3).flatmap(lambda n: st.lists(st.tuples(*[st.integers(0, 5)] * n), min_size=1, max_size=8))


def test_by_hand() -> None:
    assert hypervolume([(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)], (4.0, 4.0)) == 6.0
    assert hypervolume([], (4.0, 4.0)) == 0.0
    assert hypervolume([(4.0, 0.0), (5.0, 5.0)], (4.0, 4.0)) == 0.0
    assert hypervolume([(-1.0, 0.0)], (0.0, 2.0)) == 2.0


@given(POINTS)
def test_it_is_the_number_of_unit_cells_that_are_dominated(points: list[tuple[int, ...]]) -> None:
    side, n = 4, len(points[0])

    def dominated(cell: tuple[int, ...]) -> bool:
        return any(all(x <= corner for x, corner in zip(point, cell, strict=True)) for point in points)

    cells = sum(map(dominated, product(range(side), repeat=n)))
    assert hypervolume(points, [float(side)] * n) == pytest.approx(cells)


@given(POINTS, st.integers(0, 7))
def test_more_points_never_take_anything_away(points: list[tuple[int, ...]], count: int) -> None:
    reference = reference_point(points)
    assert hypervolume(points[: count + 1], reference) <= hypervolume(points, reference) * (1 + 1e-12)


def test_a_reference_point_lies_a_tenth_of_the_range_behind_the_worst() -> None:
    assert reference_point([(1.0, 10.0), (3.0, 30.0), (2.0, 20.0)]) == pytest.approx((3.2, 32.0))
    assert reference_point([(2.0, -5.0, 0.0)]) == pytest.approx((2.2, -4.5, 0.1))
    with pytest.raises(ValueError, match="no points"):
        reference_point([])


@given(POINTS)
def test_every_point_adds_to_a_volume_up_to_its_reference_point(points: list[tuple[int, ...]]) -> None:
    assert all(hypervolume([point], reference_point(points)) > 0 for point in points)
