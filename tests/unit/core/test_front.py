"""What may stand on the front of a run."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from evonas_cli.core.front import RunFront, evaluate, is_outcome
from evonas_cli.core.types import Candidate, Constraint, Objective, Proposal, Result

ERROR = (Objective("error", "min"),)
SMALL = (Constraint("size", 10.0),)


def candidate(id: int, **asked: Any) -> Candidate[int]:
    return Candidate(id, id, 0, Proposal(id, **asked))


def ok(id: int, error: float, **metrics: float) -> Result:
    return Result(id, "ok", {"error": error, **metrics})


def ids(front: RunFront) -> list[int]:
    return [id for id, _ in front.members]


def test_only_the_highest_fidelity_told_so_far_stands_there_in_any_order() -> None:
    told = [(0, 0.25, 0.1), (1, 0.5, 0.3), (2, 1.0, 0.4), (3, 1.0, 0.5), (4, 0.5, 0.0)]
    for order in permutations(told):
        front = RunFront(ERROR)
        for id, fidelity, error in order:
            front.take(candidate(id, fidelity=fidelity), ok(id, error))
        assert ids(front) == [2] and front.fidelity == 1.0
    front = RunFront(ERROR)
    for id, fidelity, error in told[:2]:
        front.take(candidate(id, fidelity=fidelity), ok(id, error))
    assert ids(front) == [1]


def test_a_failed_full_training_leaves_the_lower_rung_there() -> None:
    front = RunFront(ERROR)
    front.take(candidate(0, fidelity=0.5), ok(0, 0.3))
    front.take(candidate(1), Result(1, "failed"))
    assert ids(front) == [0]


def test_other_jobs_and_violations_stay_out() -> None:
    front = RunFront(ERROR, SMALL)
    assert not front.take(candidate(0, job="size"), Result(0, "ok", {"size": 1.0}))[1]
    assert not front.take(candidate(1), ok(1, 0.0, size=11.0))[1]
    assert front.take(candidate(2), ok(2, 0.5, size=10.0))[1]
    assert ids(front) == [2]


def test_what_passes_the_limit_of_cost_and_all_after_it_stays_out() -> None:
    front = RunFront(ERROR, limit=5.0)
    for id, error in enumerate((0.9, 0.8, 0.7, 0.6)):
        front.take(candidate(id), ok(id, error, cost=2.0))
    assert ids(front) == [1] and front.over == 2 and front.cost == 6.0


def test_violation_is_the_sum_of_relative_excesses() -> None:
    limits = (Constraint("size", 10.0), Constraint("accuracy", 0.5, "at least"), Constraint("gap", 0.0))
    found = evaluate(candidate(0), ok(0, 0.1, size=15.0, accuracy=0.4, gap=0.25), ERROR, limits)
    assert found.losses == (0.1,)
    assert found.violation == pytest.approx(0.5 + 0.2 + 0.25)
    assert evaluate(candidate(0), ok(0, 0.1, size=10.0, accuracy=0.5, gap=-1.0), ERROR, limits).violation == 0


def test_a_run_is_compared_by_full_trainings_alone() -> None:
    assert is_outcome(candidate(0), ok(0, 0.1, size=1.0), ERROR, SMALL)
    assert not is_outcome(candidate(0, fidelity=0.5), ok(0, 0.1, size=1.0), ERROR, SMALL)
    assert not is_outcome(candidate(0), ok(0, 0.1, size=11.0), ERROR, SMALL)
    assert not is_outcome(candidate(0), Result(0, "failed"), ERROR, SMALL)


def test_constraints_read_as_they_are_written() -> None:
    assert [str(limit) for limit in (SMALL[0], Constraint("a", 0.25, "at least"))] == ["size <= 10", "a >= 0.25"]
