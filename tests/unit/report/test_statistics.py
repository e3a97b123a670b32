"""Effect sizes, p-values and verdicts against definitions, numbers worked out by hand, and scipy."""

from __future__ import annotations

import itertools
import math
import statistics as plain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evonas_cli.report.statistics import (
    RANGE,
    a12,
    holm,
    interval,
    least_p,
    mann_whitney,
    needed_runs,
    p_text,
    resampling,
    t_interval,
    verdict,
)

tied = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=6)


def test_a12_by_hand() -> None:
    assert a12([1.0, 2.0], [3.0, 4.0], "min") == 1.0
    assert a12([1.0, 2.0], [3.0, 4.0], "max") == 0.0
    assert a12([1.0, 3.0], [2.0, 3.0], "min") == (2 + 0 + 0.5) / 4


@given(tied, tied, st.sampled_from(["min", "max"]))
def test_a12_is_the_share_of_wins_and_turns_with_its_sides(a: list[float], b: list[float], direction: str) -> None:
    sign = 1 if direction == "max" else -1
    wins = sum(1.0 if sign * x > sign * y else 0.5 if x == y else 0.0 for x in a for y in b)
    assert a12(a, b, direction) == pytest.approx(wins / (len(a) * len(b)))  # type: ignore[arg-type]
    assert a12(a, b, direction) == pytest.approx(1 - a12(b, a, direction))  # type: ignore[arg-type]


def test_mann_whitney_without_ties_is_scipys() -> None:
    a, b = [0.11, 0.12, 0.31, 0.14, 0.05], [0.2, 0.21, 0.13, 0.4, 0.33, 0.5]
    assert mann_whitney(a, b) == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue)
    assert mann_whitney([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]) == pytest.approx(2 / 70)
    many, more = [k / 7 for k in range(20)], [k / 5 + 0.01 for k in range(15)]
    assert mann_whitney(many, more) == pytest.approx(stats.mannwhitneyu(many, more, method="asymptotic").pvalue)


@given(tied, tied)
def test_mann_whitney_with_ties_counts_all_ways_to_deal_the_values(a: list[float], b: list[float]) -> None:
    pooled = [*a, *b]
    ranks = stats.rankdata(pooled)
    observed = sum(ranks[: len(a)])
    sums = [sum(ranks[k] for k in drawn) for drawn in itertools.combinations(range(len(pooled)), len(a))]
    lower, upper = (sum(s <= observed for s in sums), sum(s >= observed for s in sums))
    if len({*pooled}) < len(pooled):
        assert mann_whitney(a, b) == pytest.approx(min(1.0, 2 * min(lower, upper) / len(sums)))
    assert mann_whitney(a, b) == pytest.approx(mann_whitney(b, a))
    assert least_p(len(a), len(b)) <= mann_whitney(a, b) + 1e-12


def test_equal_values_say_nothing() -> None:
    assert mann_whitney([1.0] * 20, [1.0] * 20) == 1.0
    assert mann_whitney([1.0], [1.0]) == 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_a_p_and_keeps_their_order(p: list[float]) -> None:
    corrected = holm(p)
    assert all(raw <= new <= 1 for raw, new in zip(p, corrected, strict=True))
    ordered = [new for _, new in sorted(zip(p, corrected, strict=True))]
    assert ordered == sorted(ordered)


def test_the_least_p_and_the_runs_it_takes() -> None:
    assert least_p(3, 3) == pytest.approx(0.1) and least_p(4, 4) == pytest.approx(2 / 70) and least_p(1, 1) == 1.0
    assert needed_runs(1) == 4 and needed_runs(3) == 5
    assert 10 * least_p(needed_runs(10), needed_runs(10)) < 0.05 <= 10 * least_p(*[needed_runs(10) - 1] * 2)


def test_the_interval_holds_the_mean_and_comes_out_again() -> None:
    values = [0.1, 0.2, 0.15, 0.4, 0.22]
    found = interval(values)
    assert found is not None and found == interval(values)
    assert min(values) <= found[0] < plain.fmean(values) < found[1] <= max(values)
    reference = stats.bootstrap((values,), plain_mean, method="percentile", random_state=1).confidence_interval
    assert found == pytest.approx((reference.low, reference.high), abs=0.01)
    assert interval([0.3]) is None
    assert interval([0.3, 0.3]) == pytest.approx((0.3, 0.3))
    assert resampling(7, 50).shape == (50, 7) and resampling(7, 50).sum(axis=1) == pytest.approx([1.0] * 50)


def plain_mean(sample: list[float]) -> float:
    return math.fsum(sample) / len(sample)


def test_verdicts() -> None:
    said = verdict(0.008, 0.96, (5, 5), least_p(5, 5), 1, "random")
    assert said == ("better", "better than random (p = 0.008, A12 = 0.96, n = 5 + 5)")
    assert (
        verdict(0.42, 0.56, (5, 5), 0.008, 1, "random")[1] == "not better than random (p = 0.42, A12 = 0.56, n = 5 + 5)"
    )
    assert verdict(0.02, 0.04, (9, 5), 0.008, 1, "random")[1] == "worse than random (p = 0.02, A12 = 0.04, n = 9 + 5)"
    assert verdict(0.05, 0.9, (5, 5), 0.008, 1, "random")[0] == "not better"


def test_too_few_runs_are_undecidable_not_worse() -> None:
    expected = "undecidable: n = 3 + 3 runs cannot reach p < 0.05; run at least 4 + 4"
    assert verdict(0.1, 1.0, (3, 3), least_p(3, 3), 1, "random") == ("undecidable", expected)
    attainable = holm([least_p(4, 4)] * 3)[0]
    assert "over 3 pairs; run at least 5 + 5" in verdict(0.09, 1.0, (4, 4), attainable, 3, "random")[1]


def test_p_values_are_never_rounded_across_the_line() -> None:
    assert [p_text(p) for p in (0.42, 0.0079, 0.0499, 0.0501, 1e-9)] == [
        "= 0.42", "= 0.0079", "= 0.0499", "= 0.0501", "< 0.0001"
    ]  # fmt: skip


def test_students_interval_of_three_values_and_of_one() -> None:
    low, high = t_interval([1.0, 2.0, 3.0])  # type: ignore[misc]
    assert (low, high) == pytest.approx((2 - 4.302652729911275 / 3**0.5, 2 + 4.302652729911275 / 3**0.5))
    assert t_interval([4.0, 4.0]) == (4.0, 4.0)
    assert t_interval([1.0]) is None


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=6, unique=True))
def test_the_interval_of_few_values_is_their_range(values: list[float]) -> None:
    low, high = interval(values) or (math.nan, math.nan)
    is_range = (low, high) == (pytest.approx(min(values)), pytest.approx(max(values)))
    assert is_range if len(values) <= RANGE else min(values) <= low <= high <= max(values)


def test_the_interval_of_four_values_is_narrower_than_their_range() -> None:
    low, high = interval([0.0, 1.0, 2.0, 10.0]) or (math.nan, math.nan)
    assert low > 0.0 and high < 10.0
