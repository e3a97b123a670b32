"""The cost model finds the coefficients that made the times, and the queue hands out what it predicts to be longest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.types import Candidate, Proposal, Unit
from evonas_cli.evaluation.cost import CostModel
from evonas_cli.evaluation.queue import Queue

amounts = st.tuples(st.floats(1.0, 1e3), st.floats(1e6, 1e9))
rates = st.tuples(st.floats(0.1, 10.0), st.floats(0.0, 1.0), st.floats(1e-8, 1e-6))


def true_seconds(rates: tuple[float, float, float], work: tuple[float, float]) -> float:
    return rates[0] + rates[1] * work[0] + rates[2] * work[1]


def fitted(rates: tuple[float, float, float], seen: list[tuple[float, float]]) -> CostModel:
    model = CostModel()
    for work in seen:
        model.learn(work, true_seconds(rates, work))
    model.fit()
    return model


@given(rates)
def test_the_coefficients_are_recovered(rates: tuple[float, float, float]) -> None:
    model = fitted(rates, [(1.0 + 37 * n % 100, 1e6 * (1 + 53 * n % 89)) for n in range(40)])
    assert model.coefficients == pytest.approx(rates, rel=1e-6, abs=1e-9)


@given(rates, st.lists(amounts, min_size=4, max_size=40), amounts)
def test_no_coefficient_is_negative(
    rates: tuple[float, float, float], seen: list[tuple[float, float]], new: tuple[float, float]
) -> None:
    model = fitted(rates, seen)
    assert len(model.coefficients) == 3 and min(model.coefficients) >= 0 and max(model.coefficients) > 0
    assert model.predict((new[0] + 1, new[1])) >= model.predict(new)


def test_an_amount_that_seems_to_save_time_is_left_out() -> None:
    model = CostModel()
    for n in range(1, 30):
        model.learn((float(n), 100.0 / n), 2.0 * n)
    model.fit()
    assert model.coefficients == pytest.approx((0.0, 2.0, 0.0), abs=1e-6)


def test_until_enough_has_finished_the_first_amount_stands_for_the_seconds() -> None:
    model = fitted((1.0, 0.0, 1e-6), [(5.0, 1e6), (6.0, 2e6), (7.0, 5e6)])
    assert model.coefficients == () and model.predict((5.0, 1e9)) == 5.0


def test_it_is_fitted_again_when_an_eighth_is_new() -> None:
    model = fitted((1.0, 0.5, 1e-6), [(float(n), 1e6 * (n * n % 17)) for n in range(1, 41)])
    assert not model.fit()
    for _ in range(6):
        model.learn((1.0, 1e6), 100.0)
    assert model.fit()


def unit(id: int, *genomes: Any, width: int = 1) -> Unit[Any]:
    candidates = tuple([Candidate(id + n, 0, 0, Proposal(genome)) for n, genome in enumerate(genomes)])
    return Unit(candidates, width, tuple(range(len(candidates))))


def order(queue: Queue[Any]) -> list[int]:
    return [queue.pop().candidates[0].id for _ in range(len(queue))]


def genomes(unit: Unit[Any]) -> tuple[float, ...] | None:
    work: tuple[float, ...] | None = unit.candidates[0].proposal.genome
    return work


def test_longest_first_of_equals_the_lowest_id() -> None:
    queue: Queue[Any] = Queue(genomes)
    for id, work in enumerate([(1.0,), (3.0,), None, (3.0,), (2.0,)]):
        queue.add(unit(id, work))
    assert order(queue) == [1, 3, 4, 0, 2]


def test_without_work_by_id() -> None:
    queue: Queue[Any] = Queue(lambda unit: None)
    for id in (4, 2, 9, 0):
        queue.add(unit(id, None))
        queue.finished(unit(id, None), 1.0)
    assert order(queue) == [0, 2, 4, 9]


@pytest.mark.parametrize("how", ["finished", "recalled"])
def test_what_finished_reorders_what_waits(how: str) -> None:
    queue: Queue[Any] = Queue(genomes)
    queue.add(unit(0, (9.0, 1.0)))
    queue.add(unit(1, (1.0, 9.0)))
    seen = [(unit(10 + n, (float(n * n % 7), float(n))), float(1 + n)) for n in range(12)]
    if how == "recalled":
        queue.recall(seen)
    for done, seconds in seen if how == "finished" else ():
        queue.finished(done, seconds)
    assert order(queue) == [1, 0]
