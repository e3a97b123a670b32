"""Learning curves continued by a power law."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.evolution.power_law import below, fitted

LOSSES = st.floats(0, 1, width=32)


@given(st.floats(0, 0.9), st.floats(0.01, 1), st.floats(0.2, 3), st.integers(4, 12))
def test_a_curve_that_is_a_power_law_is_continued(limit: float, scale: float, exponent: float, count: int) -> None:
    points = [(float(t), limit + scale * t**-exponent) for t in range(1, count + 1)]
    truth = limit + scale * (2 * count) ** -exponent
    assert fitted(points).at(2 * count) == pytest.approx(truth, abs=0.02)


@given(st.lists(LOSSES, min_size=4, max_size=16))
def test_a_forecast_never_rises_and_is_never_negative(losses: list[float]) -> None:
    law = fitted([(float(t), loss) for t, loss in enumerate(losses, 1)])
    ahead = [law.at(epoch) for epoch in (len(losses), 2 * len(losses), 100)]
    assert ahead == sorted(ahead, reverse=True) and ahead[-1] >= 0


@given(st.lists(LOSSES, min_size=4, max_size=16), st.floats(0, 1), st.floats(0, 1))
def test_the_probability_grows_with_the_target(losses: list[float], one: float, other: float) -> None:
    law = fitted([(float(t), loss) for t, loss in enumerate(losses, 1)])
    low, high = sorted((one, other))
    assert 0 <= below(law, 20, low, 0.01) <= below(law, 20, high, 0.01) <= 1


def test_the_deviation_is_that_of_the_residuals_and_the_margin() -> None:
    flat = fitted([(1.0, 0.5), (2.0, 0.5), (3.0, 0.5), (4.0, 0.5)])
    assert below(flat, 16, 0.5, 0.01) == pytest.approx(0.5)
    assert below(flat, 16, 0.49, 0.01) == pytest.approx(0.158655, abs=1e-5), "one standard deviation below"


def test_three_points_are_too_few() -> None:
    with pytest.raises(ValueError, match="a curve of 3 points; a power law needs 4"):
        fitted([(1.0, 0.5), (2.0, 0.4), (3.0, 0.3)])
