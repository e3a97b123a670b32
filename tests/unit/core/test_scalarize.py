"""The reward: its forms, the laws they keep to, and how a result gets one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.guard import guard, required
from evonas_cli.core.scalarize import Floor, Limit, Mixed, Weighted
from evonas_cli.core.types import Constraint, Objective, Result

SHARES = st.floats(0, 1)
COSTS = st.floats(0, 1e9)
MIXED = Mixed("accuracy", "multiply_adds", 0.75, (0.0, 1e7))


def test_the_forms_by_hand() -> None:
    metrics = {"accuracy": 0.9, "multiply_adds": 2.5e6, "error": 0.1}
    assert MIXED.value(metrics) == 0.75 * 0.9 - 0.25 * 0.25
    assert Limit("accuracy", "multiply_adds", 2.6e6).value(metrics) == 0.9
    assert Limit("accuracy", "multiply_adds", 2.5e6).value(metrics) == 0.0  # below the limit, not at it
    assert Floor("accuracy", "multiply_adds", (0.0, 1e7), 0.89).value(metrics) == 0.75
    assert Floor("accuracy", "multiply_adds", (0.0, 1e7), 0.9).value(metrics) == 0.0
    weighted = Weighted({"error": 2.0, "multiply_adds": 1e-6, "accuracy": 3.0}, frozenset({"accuracy"}))
    assert weighted.value(metrics) == pytest.approx(-0.2 - 2.5 + 2.7)


@given(a=SHARES, accuracy=SHARES, cost=COSTS, more=COSTS)
def test_a_mixed_reward_is_bounded_and_falls_with_the_cost(a: float, accuracy: float, cost: float, more: float) -> None:
    form = Mixed("accuracy", "cost", a, (10.0, 1e6))
    low, high = (form.value({"accuracy": accuracy, "cost": each}) for each in sorted((cost, more)))
    assert -1.0 <= high <= low <= 1.0
    if a == 1.0:
        assert low == high == accuracy


@given(accuracy=SHARES, cost=COSTS, limit=st.floats(1, 1e9), floor=SHARES)
def test_limit_and_floor_give_nothing_beyond_and_never_less_than_nothing(
    accuracy: float, cost: float, limit: float, floor: float
) -> None:
    metrics = {"accuracy": accuracy, "cost": cost}
    limited = Limit("accuracy", "cost", limit).value(metrics)
    floored = Floor("accuracy", "cost", (0.0, 1e6), floor).value(metrics)
    assert limited == (accuracy if cost < limit else 0.0)
    assert 0.0 <= floored <= 1.0 and (accuracy > floor or floored == 0.0)


def test_formulas_call_a_proxy_a_proxy() -> None:
    assert str(MIXED) == "0.75 x accuracy - 0.25 x multiply_adds (proxy) as its share of [0, 1e+07]"
    assert "proxy" not in str(Mixed("accuracy", "energy_j", 0.5, (0.0, 1.0)))
    weighted = Weighted({"error": 1.0, "parameters": 1e-6, "accuracy": 2.0}, frozenset({"accuracy"}))
    assert str(weighted) == "- 1 x error - 1e-06 x parameters (proxy) + 2 x accuracy"
    assert str(Limit("accuracy", "latency_ms", 3.0)) == "accuracy where latency_ms < 3, else 0"


def test_a_result_gets_its_reward_where_it_is_guarded() -> None:
    names = required([Objective("reward", "max")], [Constraint("error", 0.5)], MIXED)
    assert names == ["error", "accuracy", "multiply_adds"]
    fine = Result(0, "ok", {"accuracy": 1.0, "multiply_adds": 5e6, "error": 0.0, "reward": 7.0})
    assert guard(fine, names, MIXED).metrics["reward"] == 0.75 - 0.25 * 0.5
    assert guard(guard(fine, names, MIXED), names, MIXED) == guard(fine, names, MIXED)
    failed = Result(0, "failed", {"accuracy": 1.0, "multiply_adds": 5e6})
    assert "reward" not in guard(failed, names, MIXED).metrics


@pytest.mark.parametrize(
    ("metrics", "kind", "text"),
    [
        ({"accuracy": 1.0}, "missing_metric", "missing_metric: multiply_adds"),
        ({"accuracy": float("nan"), "multiply_adds": 1.0}, "not_finite", "not_finite: accuracy"),
        ({"accuracy": 1.0, "multiply_adds": -1.0}, "error", "multiply_adds is -1, and a cost of the reward is never"),
    ],
)
def test_a_result_without_a_reward_is_a_failure_that_says_why(metrics: dict[str, float], kind: str, text: str) -> None:
    found = guard(Result(0, "ok", metrics), required([Objective("reward", "max")], [], MIXED), MIXED)
    assert found.status == "failed" and found.error is not None
    assert found.error.kind == kind and found.error.text.startswith(text)


def test_a_reward_that_is_no_number_is_a_failure() -> None:
    form = Weighted({"error": 1e308}, frozenset())
    found = guard(Result(0, "ok", {"error": 1e308}), ["error"], form)
    assert found.error is not None and found.error.text == "not_finite: reward"
