"""What comes out of a user's strategy or job is checked where it comes in."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from evonas_cli.core.cache import Cache, Keys
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.guard import guard
from evonas_cli.core.types import Candidate, Failure, Proposal, Result
from evonas_cli.run.search import search


class Answering:
    """A strategy whose `ask` answers what it is given."""

    demands = Demands()
    least_evaluations = 1

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def init(self, rng: Any) -> int:
        return 0

    def ask(self, state: int, rng: Any) -> Any:
        return self.answer

    def tell(self, state: int, told: Any, rng: Any) -> int:
        return state

    def population(self, state: int) -> tuple[int, ...]:
        return ()


@pytest.mark.parametrize(
    "answer", [None, [Proposal(1)], ([3], 0), ((Proposal(1), "x"), 0), (None, 0), (Proposal(1), 0)]
)
def test_an_ask_that_gives_something_else_is_named(answer: Any) -> None:
    fold = Fold(Answering(answer), [], 0, 1, Budget(evaluations=3))
    with pytest.raises(UsageError, match="strategy Answering: ask must return a list of Proposal and the state"):
        fold.ask()


def test_numbers_of_libraries_become_plain_ones() -> None:
    metrics: Any = {"a": np.float32(0.1), "b": np.int64(3), "c": np.float64(0.1), "d": 1}
    kept = guard(Result(0, "ok", metrics), ["a"]).metrics
    assert json.loads(json.dumps(kept)) == {"a": float(np.float32(0.1)), "b": 3.0, "c": 0.1, "d": 1}


@pytest.mark.parametrize("value", [np.float32("nan"), "3", None, [1.0], 10**400])
def test_what_is_no_finite_number_is_a_failure(value: Any) -> None:
    kept = guard(Result(0, "ok", {"a": value, "b": 1.0}), ["a"])
    assert (kept.status, kept.metrics) == ("failed", {"b": 1.0})
    assert kept.error == Failure("not_finite", "not_finite: a")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"status": "success"}, "status is 'success'"),
        ({"status": "failed", "error": "too slow"}, "error is a str"),
        ({"status": "ok", "labels": [3]}, "labels is a list"),
        ({"status": "ok", "metrics": [1.0]}, "metrics is a list"),
    ],
)
def test_a_result_with_other_fields_is_named(fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(UsageError, match=f"the job's Result for candidate 7: {wrong}"):
        guard(Result(7, **fields), [])


class Nobody:
    """A store that knows nothing, and an evaluator that answers what it is given."""

    slots = 1

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def restore(self, fold: Any) -> list[Any]:
        return []

    def result(self, candidate: Any) -> None:
        return None

    def record(self, arrived: Any) -> None: ...

    def told(self, fold: Any) -> None: ...

    def submit(self, units: Any) -> None: ...

    def collect(self, deadline: Any) -> Any:
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        (([Result(5, "ok")],), "a result for candidate 5, which is not being evaluated"),
        (([Result(0, "ok"), Result(0, "ok")],), "a result for candidate 0, which is not being evaluated"),
        (([],), "collect returned nothing"),
    ],
)
def test_an_evaluator_gives_back_what_it_was_given(answers: Any, wrong: str) -> None:
    fold = Fold(Answering(([Proposal(1)], 0)), [], 0, 1, Budget(evaluations=2))
    with pytest.raises(UsageError, match=wrong):
        search(fold, Nobody(*answers), Nobody())  # type: ignore[arg-type]


def test_a_key_that_raises_is_the_candidates_failure_and_stays_one_when_resumed() -> None:
    class Job:
        def function_key(self, genome: int, environment: Any) -> str:
            return str(6 // genome)

    space: Any = Answering(None)
    space.to_json = lambda genome: genome
    cache: Cache[int] = Cache(Keys(space, Job()))  # type: ignore[arg-type]
    candidates = [Candidate(id, id, 0, Proposal(genome)) for id, genome in enumerate([2, 0, 2])]
    assert [candidate.id for candidate in cache.admit(candidates)] == [0]
    [failed] = cache.copies()
    assert (failed.id, failed.status) == (1, "failed")
    assert failed.error is not None and failed.error.kind == "error"
    assert "test_guard.py" in failed.error.text and "ZeroDivisionError" in failed.error.text
    assert cache.learn(candidates[1], failed) == [] and cache.original(candidates[1]) is None


def test_a_descriptor_is_taken_as_plain_floats_and_what_is_none_is_a_failure() -> None:
    fine = guard(Result(0, "ok", {"error": 1.0}, descriptor=np.array([1, 2.5])))  # type: ignore[arg-type]
    assert fine.descriptor == (1.0, 2.5) and {type(number) for number in fine.descriptor} == {float}
    for wrong in ((1.0, float("nan")), ("one",), 3.0, (0.0,) * 257):
        bad = guard(Result(0, "ok", {"error": 1.0}, descriptor=wrong))  # type: ignore[arg-type]
        assert bad.status == "failed" and bad.descriptor == ()
        assert bad.error == Failure("not_finite", "not_finite: descriptor")
