"""Learning-rate schedules."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.training.schedules import SCHEDULES, Course, factor


def course(epochs: int = 10, steps: int = 7, step_size: int = 3, gamma: float = 0.5) -> Course:
    return Course(epochs=epochs, steps_per_epoch=steps, step_size=step_size, gamma=gamma)


def rates_of_torch(make) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = make(optimizer)
    rates = []
    for _ in range(70):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def test_cosine_is_torchs():
    expected = rates_of_torch(lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 70))
    assert [factor("cosine", step, course(), 0) for step in range(70)] == pytest.approx(expected)


def test_one_cycle_has_the_course_of_torchs():
    found = [factor("one_cycle", step, course(), 0) for step in range(70)]
    expected = rates_of_torch(lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=71))
    assert found[0] == expected[0] == pytest.approx(1 / 25)
    assert max(found) == 1.0
    assert found == pytest.approx(expected, abs=0.08)
    assert found[-1] < 0.01


def test_step_decays_per_epoch():
    rates = [factor("step", step, course(), 0) for step in range(70)]
    by_epoch = [1.0] * 3 + [0.5] * 3 + [0.25] * 3 + [0.125]
    assert rates == [rate for rate in by_epoch for _ in range(7)]


def test_warmup_rises_linearly_and_then_has_no_effect():
    rates = [factor("constant", step, course(), 2.0) for step in range(70)]
    assert rates[:14] == pytest.approx([(i + 1) / 14 for i in range(14)])
    assert rates[14:] == [1.0] * 56


@given(
    st.sampled_from(sorted(SCHEDULES)), st.integers(1, 30), st.integers(1, 30), st.integers(0, 10**6), st.floats(0, 5)
)
def test_every_factor_lies_above_zero_and_at_most_one(name, epochs, steps, index, warmup):
    length = course(epochs, steps)
    assert 0 < factor(name, index % length.steps, length, warmup) <= 1
