"""The lines of an auto and its verdict, from figures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.auto.table import Line, best_by_validation, document, rows, verdict, wilson

NAIVE = Line("naive", "valid_error", "min", 0.1, (0.109, 0.111), 2, 1000, 1, 1.0)
FOUND = replace(NAIVE, name="evolved and tuned", valid=0.05, tests=(0.054, 0.056), trainings=20)


def test_the_promise_is_held_or_not() -> None:
    assert "held (50% less: 0.11 and 0.055; the intervals do not overlap)" in verdict(NAIVE, FOUND, 10**6)
    assert "the intervals overlap" in verdict(NAIVE, FOUND, 100), "so few test examples cannot tell them apart"
    assert "not held (50% more" in verdict(replace(NAIVE, tests=(0.04, 0.04)), replace(FOUND, tests=(0.06, 0.06)), 100)
    assert "unknown" in verdict(NAIVE, replace(FOUND, tests=()), 100)
    assert "impossible" in verdict(replace(NAIVE, tests=(0.0,)), FOUND, 100)


def test_a_metric_where_more_is_better_is_compared_by_what_it_lacks() -> None:
    naive = replace(NAIVE, metric="valid_auroc", direction="max", tests=(0.8, 0.8))
    found = replace(naive, tests=(0.9, 0.9), valid=0.9)
    assert "held (50% less" in verdict(naive, found, 100) and "error being 1 - test_auroc" in verdict(naive, found, 100)
    assert found.interval(10) == pytest.approx((0.9, 0.9)), "Wilson's interval is of shares of examples alone"
    assert best_by_validation([naive, found]) == 1


def test_the_export_is_the_best_on_validation_of_those_that_ended() -> None:
    better = replace(FOUND, valid=0.01, tests=())
    assert best_by_validation([NAIVE, FOUND, better]) == 1
    assert best_by_validation([FOUND, replace(FOUND, name="tuned")]) == 1, "of equal ones the later"


def test_rows_say_what_was_cut() -> None:
    table = rows([NAIVE, replace(FOUND, tests=(0.05,)), replace(FOUND, tests=())], 50)
    assert [row[0] for row in table[1:]] == ["naive", "evolved and tuned", "evolved and tuned"]
    assert table[1][3] == "2" and table[2][3] == "1 of 2" and table[3][2] == "cut"
    assert document([NAIVE, FOUND], 50)["promise"]["less"] == pytest.approx(0.5)


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilsons_interval_holds_the_share(errors: int, more: int) -> None:
    examples = errors + more
    low, high = wilson(errors / examples, examples)
    assert 0 <= low <= errors / examples + 1e-12 and errors / examples - 1e-12 <= high <= 1
    assert wilson(0.0, 10)[1] == pytest.approx(0.2775, abs=1e-3)


def test_the_interval_of_an_error_rate_ends_at_0() -> None:
    few = replace(NAIVE, tests=(0.005, 0.011))
    low, high = few.interval(100) or (-1.0, -1.0)
    assert low == 0.0 and 0.04 < high < 0.1
