"""Best so far along each axis: failures, caches, budgets."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.report.curves import Track, mean_best

Outcome = tuple[float | None, float, bool]
outcomes = st.lists(
    st.tuples(st.one_of(st.none(), st.floats(0, 1)), st.integers(0, 9).map(float), st.booleans()), max_size=30
)


def track(found: list[Outcome], limit: float | None = None, direction: str = "min") -> Track:
    made = Track("error", direction, "test", limit)  # type: ignore[arg-type]
    for value, cost, cached in found:
        metrics = {"cost": cost} if value is None else {"cost": cost, "error": value, "test": value + 1}
        made.add(value is not None, metrics, seconds=2 * cost, cached=cached)
    return made


RUN: list[Outcome] = [
    (None, 1.0, False), (0.5, 2.0, False), (0.7, 1.0, False), (0.3, 4.0, True), (0.3, 1.0, False)
]  # fmt: skip


def test_what_an_evaluation_costs() -> None:
    made = track(RUN)
    assert list(made.trainings) == [1, 2, 3, 3, 4], "a failure is a training, an answer from a cache is none"
    assert list(made.cost) == [1, 3, 4, 8, 9] and list(made.seconds) == [2, 6, 8, 16, 18]
    assert made.failed(1) == 1 and made.failed(5) == 1


def test_the_incumbent_is_the_first_of_equals() -> None:
    made = track(RUN)
    assert made.improvements() == [1, 3]
    assert made.incumbent("trainings", 1) is None
    assert made.incumbent("trainings", 2) == 1
    assert made.incumbent("trainings", 3) == 3, "the cached one costs nothing"
    assert made.incumbent("cost", 7.9) == 1 and made.incumbent("cost", 8.0) == 3
    assert made.reports[3] == 1.3 and math.isnan(made.reports[0])


def test_higher_may_be_better() -> None:
    assert track(RUN, direction="max").improvements() == [1, 2]


def test_the_first_that_does_not_fit_budget_cost_ends_the_run() -> None:
    made = track(RUN, limit=5.0)
    assert len(made) == 3 and made.reached("cost") == 5.0 and made.reached("trainings") == 3
    exact = track(RUN, limit=8.0)
    assert len(exact) == 4 and exact.reached("cost") == 8.0
    assert track(RUN, limit=20.0).reached("cost") == 9.0, "a run that has not used its budget has not reached it"
    assert track([*RUN[:3], (0.1, 9.0, False), (0.2, 0.5, False)], limit=5.0).improvements() == [1]


def test_areas_by_hand() -> None:
    made = track([(0.8, 1.0, False), (0.9, 1.0, False), (0.4, 2.0, False), (0.2, 1.0, False)])
    assert mean_best(made, "cost", 1.0, 5.0) == pytest.approx((3 * 0.8 + 1 * 0.4) / 4)
    assert mean_best(made, "cost", 2.0, 4.5) == pytest.approx((2 * 0.8 + 0.5 * 0.4) / 2.5)
    assert mean_best(made, "trainings", 3.0, 3.0) == 0.4


def test_the_document_keeps_only_the_steps() -> None:
    shown = track(RUN, limit=8.5).document()
    assert shown == {
        "evaluation": [1, 3],
        "value": [0.5, 0.3],
        "trainings": [2, 3],
        "seconds": [6, 16],
        "cost": [3, 8],
        "end": {"evaluations": 4, "trainings": 3, "seconds": 16, "cost": 8.5},
    }


@given(outcomes, st.sampled_from(["trainings", "seconds", "cost"]))
def test_best_so_far_never_gets_worse(found: list[Outcome], axis: str) -> None:
    made = track(found)
    at, values = made.steps(axis)  # type: ignore[arg-type]
    assert at == sorted(at) and all(a > b for a, b in zip(values, values[1:], strict=False))
    for budget in range(0, 40, 3):
        covered = [v for v, used in zip(made.values, made.axis(axis), strict=True) if used <= budget]  # type: ignore[arg-type]
        best = made.incumbent(axis, budget)  # type: ignore[arg-type]
        successes = [v for v in covered if not math.isnan(v)]
        assert (best is None) == (not successes)
        assert best is None or made.values[best] == min(successes)
