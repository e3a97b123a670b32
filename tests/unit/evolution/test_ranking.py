"""Rank correlations against scipy's, and what the top is worth."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evonas_cli.evolution.ranking import best_of_top, kendall, spearman

pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=12)


@given(pairs)
def test_correlations_are_scipys(rows: list[tuple[int, int]]) -> None:
    a, b = zip(*rows, strict=True)
    for own, theirs in ((kendall(a, b), stats.kendalltau(a, b)), (spearman(a, b), stats.spearmanr(a, b))):
        if len(set(a)) == 1 or len(set(b)) == 1:
            assert own is None and math.isnan(theirs.statistic)
        else:
            assert own == pytest.approx(theirs.statistic, abs=1e-9)


def test_the_top_is_by_score_and_at_least_one() -> None:
    assert best_of_top([3.0, 1.0, 2.0], [0.1, 0.7, 0.2], 0.05) == (0.7, 0.7)
    mean, best = best_of_top([3.0, 1.0, 2.0], [0.1, 0.7, 0.2], 0.5)
    assert mean == pytest.approx(0.45) and best == 0.2
