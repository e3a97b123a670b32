"""Differences and rank correlations of two columns."""

from __future__ import annotations

import pytest
from benchmarks.agreement import agreement
from hypothesis import given
from hypothesis import strategies as st

COLUMN = st.lists(st.floats(-10, 10), min_size=1, max_size=20)


@given(COLUMN)
def test_a_column_agrees_with_itself(values: list[float]) -> None:
    found = agreement(values, values, 0.0)
    assert (found["largest"], found["median"], found["within"]) == (0.0, 0.0, len(values))
    assert found["rank_correlation"] == (pytest.approx(1.0) if len(set(values)) > 1 else None)


def test_by_hand() -> None:
    found = agreement([1.0, 2.0, 3.0, 4.0], [1.5, 1.0, 3.0, 4.25], 0.25)
    assert (found["compared"], found["within"]) == (4, 2)
    assert (found["largest"], found["median"]) == (1.0, 0.375)
    assert found["rank_correlation"] == pytest.approx(1 - 6 * 2 / (4 * 15))


def test_who_failed_either_way_is_left_out() -> None:
    found = agreement([None, 1.0, 2.0], [5.0, None, 2.5], 0.1)
    assert (found["compared"], found["largest"], found["rank_correlation"]) == (1, 0.5, None)
    assert found["one_failed"] == 2 and agreement([None], [None], 0.1)["one_failed"] == 0
    assert agreement([None], [1.0], 0.1)["median"] is None
