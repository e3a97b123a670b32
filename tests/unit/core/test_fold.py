"""The fold: the window rule, budgets, and what counts for the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.guard import guard
from evonas_cli.core.types import Constraint, Evaluation, Failure, Objective, Proposal, Result

OBJECTIVES = (Objective("error", "min"),)


@dataclass(frozen=True)
class Log:
    """What a strategy has seen: ("ask", step) and ("tell", ids...)."""

    events: tuple[tuple[str, int], ...] = ()


class Recording:
    """Asks `size` numbers a step and remembers the order of everything."""

    demands = Demands()
    least_evaluations = 1

    def __init__(self, size: int = 1, steps: int = 10**9) -> None:
        self.size, self.steps = size, steps

    def init(self, rng: Random) -> Log:
        return Log()

    def ask(self, state: Log, rng: Random) -> tuple[list[Proposal[int]], Log]:
        step = sum(kind == "ask" for kind, _ in state.events)
        if step == self.steps:
            return [], state
        return [Proposal(step) for _ in range(self.size)], Log((*state.events, ("ask", step)))

    def tell(self, state: Log, told: Sequence[Evaluation[int]], rng: Random) -> Log:
        assert [e.id for e in told] == list(range(told[0].id, told[0].id + self.size))
        return Log((*state.events, ("tell", told[0].genome)))

    def population(self, state: Log) -> tuple[int, ...]:
        return ()


def drive(fold: Fold[int], order: Random, cost: float = 1.0) -> list[int]:
    """Runs a fold with results arriving in any order; returns the ids evaluated."""
    flying: list[Any] = []
    seen = []
    while True:
        while fold.wants_ask():
            flying += fold.ask()
        if fold.ready():
            fold.tell()
        elif fold.missing:
            candidate = flying.pop(order.randrange(len(flying)))
            seen.append(candidate.id)
            fold.add(candidate, Result(candidate.id, "ok", {"error": 1.0 / (1 + candidate.id), "cost": cost}))
        else:
            fold.close()
            return seen


def fold_of(strategy: Recording, window: int = 1, **budget: Any) -> Fold[int]:
    return Fold(strategy, OBJECTIVES, 1, window, Budget(**budget))


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 40), st.integers(0, 10**6))
def test_a_step_is_asked_when_exactly_those_before_its_window_are_told(
    window: int, size: int, evaluations: int, order: int
) -> None:
    fold = fold_of(Recording(size), window, evaluations=evaluations)
    seen = drive(fold, Random(order))
    assert sorted(seen) == list(range(evaluations))
    told = 0
    for kind, step in fold.state.events:
        if kind == "ask":
            assert told == max(0, step - window + 1)
        else:
            assert step == told
            told += 1
    assert told == evaluations // size
    assert [id for id, _ in fold.front.members] == [evaluations - 1]


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 10**6))
def test_order_of_arrival_changes_nothing(window: int, size: int, order: int) -> None:
    one, other = (fold_of(Recording(size), window, evaluations=20) for _ in range(2))
    drive(one, Random(0))
    drive(other, Random(order))
    assert one.state == other.state and one.position == other.position


def test_a_budget_of_cost_ends_before_the_candidate_that_passes_it() -> None:
    fold = fold_of(Recording(), cost=10.0)
    seen = drive(fold, Random(0), cost=3.0)
    assert seen == [0, 1, 2, 3]
    assert fold.position.over == 3
    assert [id for id, _ in fold.front.members] == [2]


def test_a_budget_of_cost_used_up_exactly_counts_everything() -> None:
    fold = fold_of(Recording(), cost=9.0)
    assert drive(fold, Random(0), cost=3.0) == [0, 1, 2]
    assert fold.position.over is None
    assert [id for id, _ in fold.front.members] == [2]


def test_an_empty_ask_ends_the_search() -> None:
    fold = fold_of(Recording(2, steps=3), 2, evaluations=100)
    assert len(drive(fold, Random(0))) == 6
    assert fold.finished


def test_telling_beyond_the_window_marks_the_state_as_drained() -> None:
    fold = fold_of(Recording(), 3, evaluations=5)
    flags = []
    while fold.wants_ask():
        for candidate in fold.ask():
            fold.add(candidate, Result(candidate.id, "ok", {"error": 1.0}))
        if len(fold.position.pending) == 3:
            fold.tell()
            flags.append(fold.drained)
    fold.tell()
    assert flags == [False, False, False] and fold.drained


def test_a_run_of_nothing_but_failures_ends_without_a_limit_of_evaluations() -> None:
    fold = fold_of(Recording(10), cost=5.0)
    asked = 0
    while fold.wants_ask():
        for candidate in fold.ask():
            asked += 1
            fold.add(candidate, Result(candidate.id, "failed", {}, None, Failure("error", "always")))
        fold.tell()
    assert fold.hopeless and asked == 1000


def told(fold: Fold[int], kinds: Sequence[str | None]) -> int:
    """Runs a fold in which the candidates fail with these kinds, then succeed; returns how many were asked."""
    asked = 0
    while fold.wants_ask():
        for candidate in fold.ask():
            kind = kinds[asked] if asked < len(kinds) else None
            asked += 1
            error = None if kind is None else Failure(kind, "a reason")
            fold.add(candidate, Result(candidate.id, "ok" if error is None else "failed", {"error": 1.0}, None, error))
        fold.tell()
    return asked


def test_a_run_whose_first_candidates_are_all_refused_ends() -> None:
    fold = fold_of(Recording(), evaluations=50)
    assert told(fold, ["refused"] * 50) == 20 and fold.barred and not fold.wants_ask()
    whole = fold_of(Recording(8), evaluations=50)  # steps of 8: the rule looks at what was told
    assert told(whole, ["refused"] * 50) == 24 and whole.barred


@pytest.mark.parametrize("kinds", [["refused"] * 19 + [None], ["error"] + ["refused"] * 49, ["refused"] * 19 + ["oom"]])
def test_one_candidate_that_was_evaluated_lets_the_run_go_on(kinds: list[str | None]) -> None:
    fold = fold_of(Recording(), evaluations=50)
    assert told(fold, kinds) == 50 and not fold.barred


def test_a_first_population_of_more_is_looked_at_whole() -> None:
    strategy = Recording()
    strategy.least_evaluations = 30
    fold = fold_of(strategy, evaluations=50)
    assert told(fold, ["refused"] * 29) == 50 and not fold.barred
    fold = fold_of(strategy, evaluations=50)
    assert told(fold, ["refused"] * 50) == 30 and fold.barred


@pytest.mark.parametrize("budget", [{}, {"evaluations": 0}, {"seconds": -1.0}, {"cost": 0.0}])
def test_impossible_budgets_are_refused(budget: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Budget(**budget)


def test_directions_are_settled_at_the_boundary() -> None:
    assert Objective("accuracy", "max").loss({"accuracy": 0.9}) == -0.9
    assert Objective("error", "min").loss({"error": 0.1}) == 0.1


def test_payloads_are_told_as_they_will_be_read_back() -> None:
    kept = guard(Result(0, "ok", {"error": 1.0}, payload={"weights": (1, 2)}), ["error"])
    assert kept.payload == {"weights": [1, 2]}


def test_results_without_finite_metrics_become_failures() -> None:
    fine = Result(0, "ok", {"error": 1.0})
    assert guard(fine, ["error"]) is fine
    for metrics, kind in (
        ({"error": float("nan")}, "not_finite"),
        ({}, "missing_metric"),
        ({"error": 1e999}, "not_finite"),
        ({"error": None}, "not_finite"),
        ({"error": 10**400}, "not_finite"),
    ):
        bad = guard(Result(0, "ok", metrics), ["error"])
        assert bad.status == "failed" and bad.error is not None and bad.error.kind == kind
        assert bad.metrics == {}
    failed = Result(0, "failed", {}, None, Failure("oom", "out of memory"))
    assert guard(failed, ["error"]) is failed


@pytest.mark.parametrize("payload", [float("nan"), {"a": {1, 2}}, [10.0, float("inf")]])
def test_payloads_that_cannot_be_read_back_are_failures(payload: Any) -> None:
    bad = guard(Result(0, "ok", {"error": 1.0}, payload=payload), ["error"])
    assert (bad.status, bad.payload, dict(bad.metrics)) == ("failed", None, {"error": 1.0})
    assert bad.error == Failure("not_finite", "not_finite: payload")
    failed = Result(0, "failed", {"error": float("nan"), "cost": 2.0}, payload, Failure("oom", "out of memory"))
    assert guard(failed, ["error"]) == Result(0, "failed", {"cost": 2.0}, None, failed.error)


@dataclass(frozen=True)
class Heard:
    """Losses and violations told."""

    told: tuple[tuple[float | None, float], ...] = ()


class Hearing(Recording):
    """Remembers losses and violations."""

    def __init__(self, ranks: bool) -> None:
        super().__init__()
        self.demands = Demands(violations=ranks)

    def init(self, rng: Random) -> Any:
        return Heard()

    def ask(self, state: Any, rng: Random) -> Any:
        return [Proposal(0)], state

    def tell(self, state: Any, told: Sequence[Evaluation[int]], rng: Random) -> Any:
        return Heard((*state.told, *[(e.losses[0] if e.losses else None, e.violation) for e in told]))


@pytest.mark.parametrize("ranks", [False, True])
def test_a_violation_is_a_failure_to_strategies_that_do_not_rank_it(ranks: bool) -> None:
    limit = Constraint("error", 0.4)
    fold: Fold[int] = Fold(Hearing(ranks), OBJECTIVES, 1, 1, Budget(evaluations=4), (limit,))
    drive(fold, Random(0))
    violations = [pytest.approx(excess) for excess in (1.5, 0.25, 0.0, 0.0)]
    losses = [1.0, 0.5] if ranks else [None, None]
    assert [loss for loss, _ in fold.state.told] == [*losses, 1 / 3, 0.25]
    assert [violation for _, violation in fold.state.told] == violations
    assert fold.position.succeeded and [id for id, _ in fold.front.members] == [3]
