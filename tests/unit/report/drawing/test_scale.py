"""Scales: positions on a line and on a logarithm, bounds without outliers, and round ticks inside them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.report.drawing.scale import Scale, bounds, log_ticks, tick_text, ticks

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def test_a_decade_has_the_same_length_everywhere_on_a_logarithm() -> None:
    scale = Scale(0.01, 1.0, 100.0, 300.0, log=True)
    assert [scale(v) for v in (0.01, 0.1, 1.0)] == pytest.approx([100, 200, 300])


def test_one_outlier_does_not_stretch_an_axis() -> None:
    values = [0.1 + k / 100 for k in range(20)]
    plain, wild = bounds(values), bounds([*values, 50.0])
    assert (wild.low, wild.high, wild.log) == (plain.low, plain.high, False)
    assert bounds([*values, -50.0]).low == plain.low
    assert bounds([*values, 50.0], keep=[50.0]).high > 50.0, "what has to be seen is seen"
    assert bounds([0.1, 0.2, 50.0]).high > 50.0, "of three values none is an outlier"
    assert bounds([10.0**k for k in range(6)]).log, "many decades are no outliers"


@given(st.lists(FINITE, min_size=1, max_size=60), st.lists(FINITE, max_size=3))
def test_axes_are_finite_and_most_values_lie_inside(values: list[float], keep: list[float]) -> None:
    found = bounds(values, keep)
    assert math.isfinite(found.low) and math.isfinite(found.high) and found.low < found.high
    scale = found.scale(400, 40)
    if all(abs(value) < 1e150 for value in [*values, *keep]):
        rare = max(1, len(values) // 20)
        assert sum(not scale.holds(value) for value in values) <= 2 * rare
        assert all(scale.holds(value) for value in keep)
    for value in values:
        assert 40 - 1e-6 <= scale.clipped(value) <= 400 + 1e-6
    assert all(math.isfinite(tick) for tick in scale.ticks())


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_lie_inside_and_are_few(low: float, width: float) -> None:
    high = low + width
    found = ticks(low, high)
    slack = width * 1e-6 + abs(low) * 1e-9
    assert 1 <= len(found) <= 8 and all(low - slack <= tick <= high + slack for tick in found)


def test_ticks_and_their_texts() -> None:
    assert ticks(0, 100) == [0, 20, 40, 60, 80, 100] and ticks(3, 3) == [3]
    assert ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert log_ticks(1, 100) == [1, 2, 5, 10, 20, 50, 100]
    assert log_ticks(0.03, 0.6) == pytest.approx([0.05, 0.1, 0.2, 0.5])
    assert log_ticks(1e-3, 10.0) == pytest.approx([1e-3, 1e-2, 0.1, 1.0, 10.0])
    assert log_ticks(1.1, 1.9) == ticks(1.1, 1.9)
    assert [tick_text(v) for v in (0.05, 20.0, 12_000, 3e6, 1e-17, -0.0)] == ["0.05", "20", "12k", "3M", "1e-17", "0"]


def test_the_powers_of_a_long_logarithmic_axis_are_thinned() -> None:
    """A loss that falls from 1 to 1e-22 has eight ticks, not 23 upon each other, and none of them reads 0."""
    found = log_ticks(1.7e-22, 2.0)
    assert found == pytest.approx([10.0**power for power in range(-21, 1, 3)])
    assert [tick_text(value) for value in found] == ["1e-21", "1e-18", "1e-15", "1e-12", "1e-09", "1e-06", "0.001", "1"]
    assert len(log_ticks(1e-9, 1.0)) == 10 and len(log_ticks(1e-100, 1.0)) == 11
