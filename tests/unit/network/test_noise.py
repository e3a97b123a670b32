"""Noise schedules are the published ones, and time features tell steps apart."""

from __future__ import annotations

from math import cos, pi, prod

import pytest

from evonas_cli.network.noise import MOST, SCHEDULES, cosine, linear, time_features


def test_a_thousand_linear_steps_are_those_of_ho_et_al() -> None:
    betas = linear(1000)
    assert betas[0] == pytest.approx(1e-4) and betas[-1] == pytest.approx(0.02)
    assert betas[500] - betas[499] == pytest.approx((0.02 - 1e-4) / 999)


def test_cosine_steps_leave_the_share_of_the_example_that_the_cosine_says() -> None:
    betas = cosine(50)
    for step in (1, 10, 49):
        left = prod(1 - beta for beta in betas[:step])
        shares = [cos((at / 50 + 0.008) / 1.008 * pi / 2) ** 2 for at in (0, step)]
        assert left == pytest.approx(shares[1] / shares[0])


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 10, 50, 400])
def test_each_number_of_steps_ends_in_noise(name: str, steps: int) -> None:
    betas = SCHEDULES[name](steps)
    assert len(betas) == steps and all(0 < beta <= MOST for beta in betas)
    assert prod(1 - beta for beta in betas) < 0.01


def test_time_features_are_the_time_or_sines_and_cosines() -> None:
    assert time_features(5, 20, 1) == (0.25,)
    assert time_features(0, 20, 4) == (0.0, 0.0, 1.0, 1.0)
    assert len({time_features(step, 100, 8) for step in range(1, 101)}) == 100
    for count in (0, 3, -2):
        with pytest.raises(ValueError, match="must be 1 or an even number above 0"):
            time_features(1, 2, count)
