"""The cache: whom a candidate copies depends on the run alone, and only what succeeded is copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.cache import Cache, copy
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.evaluating import Place
from evonas_cli.core.fold import REPEATING, Budget, Fold
from evonas_cli.core.types import Candidate, Evaluation, Failure, Objective, Proposal, Result, Unit
from evonas_cli.evaluation.fake import Fake
from evonas_cli.run.search import search
from evonas_cli.store.recorder import Memory


@dataclass(frozen=True)
class Reciting:
    """Asks what it is given, `size` a step; then the last one for ever."""

    proposals: Sequence[Proposal[int]]
    size: int = 1
    needs: tuple[type, ...] = ()
    least_evaluations: int = 1
    demands: Demands = Demands()

    def init(self, rng: Random) -> int:
        return 0

    def ask(self, state: int, rng: Random) -> tuple[list[Proposal[int]], int]:
        last = len(self.proposals) - 1
        return [self.proposals[min(state + k, last)] for k in range(self.size)], state + self.size

    def tell(self, state: int, told: Sequence[Evaluation[int]], rng: Random) -> int:
        return state

    def population(self, state: int) -> tuple[int, ...]:
        return ()


@dataclass
class Failing:
    """A job in which the candidates of these ids fail; `error` tells who was evaluated."""

    fails: frozenset[int] = frozenset()

    def open(self, place: Place) -> Failing:
        return self

    def environment(self) -> dict[str, Any]:
        return {}

    def evaluate(self, unit: Unit[int], context: Any) -> Iterator[Result]:
        for one in unit.candidates:
            measured = {"error": float(one.id), "cost": 1.0, "train_seconds": 0.5}
            failed = Result(one.id, "failed", error=Failure("diverged", "diverged"), seconds=1.0)
            yield failed if one.id in self.fails else Result(one.id, "ok", measured, seconds=1.0)


class Kept(Memory):
    """A store that knows what earlier sessions recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.results: dict[int, Result] = {}

    def result(self, candidate: Candidate[Any]) -> Result | None:
        return self.results.get(candidate.id)

    def record(self, arrived: Sequence[tuple[Candidate[Any], Result]]) -> None:
        assert not {candidate.id for candidate, _ in arrived} & set(self.results)
        self.results |= {candidate.id: result for candidate, result in arrived}


def run(
    proposals: Sequence[Proposal[int]],
    fails: Sequence[int] = (),
    size: int = 1,
    window: int = 1,
    order: int = 0,
    session: int | None = None,
    budget: Budget | None = None,
) -> dict[int, Result]:
    """The results of a run, broken off after every `session` evaluations."""
    store = Kept()
    while True:
        budget = budget or Budget(evaluations=len(proposals))
        fold: Fold[int] = Fold(Reciting(proposals, size), (Objective("error", "min"),), 0, window, budget)
        evaluator: Fake[int] = Fake(Failing(frozenset(fails)), Any, order, session)  # type: ignore[arg-type]
        try:
            search(fold, evaluator, store, cache=Cache(str, {"train_seconds"}))
        except EnvironmentFailure:
            order += 1
            continue
        return store.results


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=24),
    st.sets(st.integers(0, 23)),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 9),
    st.none() | st.integers(1, 4),
)
def test_a_candidate_copies_the_lowest_equal_one_that_succeeded(
    genomes: list[int], fails: set[int], size: int, window: int, order: int, session: int | None
) -> None:
    results = run([Proposal(g) for g in genomes], sorted(fails), size, window, order, session)
    first: dict[int, int] = {}
    for id, genome in enumerate(genomes):
        result = results[id]
        assert result.cached == first.get(genome)
        if result.cached is not None:
            assert result == copy(results[result.cached], id, {"train_seconds"})
            assert result.metrics == {"error": float(result.cached), "cost": 0.0, "train_seconds": 0.0}
            assert result.seconds == 0.0
        elif id in fails:
            assert result.status == "failed"
        else:
            first[genome] = id


@pytest.mark.parametrize(
    "own", [{"continues": 0}, {"options": {"start": "weights"}}, {"job": "other"}, {"again": True}, {"fidelity": 0.5}]
)
def test_who_has_no_equal(own: dict[str, Any]) -> None:
    results = run([Proposal(7), Proposal(7, **own), Proposal(7)])
    assert [results[id].cached for id in range(3)] == [None, None, 0]


def test_equal_fidelity_is_equal() -> None:
    results = run([Proposal(7, fidelity=0.5), Proposal(7), Proposal(7, fidelity=0.5)])
    assert [results[id].cached for id in range(3)] == [None, None, 0]


def test_a_strategy_that_repeats_itself_ends_under_a_budget_of_cost() -> None:
    results = run([Proposal(1), Proposal(2)], size=2, window=2, budget=Budget(cost=100.0))
    assert REPEATING <= len(results) - 2 <= REPEATING + 4
    assert {id for id, result in results.items() if result.cached is None} == {0, 1}


def test_a_longer_budget_is_not_cut_short_by_repeats() -> None:
    results = run([Proposal(1)], size=500, budget=Budget(evaluations=REPEATING + 1000))
    assert len(results) == REPEATING + 1000


def test_without_keys_everybody_is_evaluated() -> None:
    cache: Cache[int] = Cache()
    candidates = [Candidate(id, id, 0, Proposal(1)) for id in range(3)]
    assert cache.admit(candidates) == candidates and not cache.active
    assert cache.learn(candidates[0], Result(0, "ok")) == [] and cache.copies() == []
