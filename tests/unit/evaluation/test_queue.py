"""The queue hands out what has the most work."""

from __future__ import annotations

from typing import Any

from evonas_cli.core.types import Candidate, Proposal, Unit
from evonas_cli.evaluation.queue import Queue


def unit(id: int, work: float | None) -> Unit[Any]:
    return Unit((Candidate(id, 0, 0, Proposal(work)),))


def order(queue: Queue[Any]) -> list[int]:
    return [queue.pop().candidates[0].id for _ in range(len(queue))]


def by_work(*works: float | None) -> Queue[Any]:
    queue: Queue[Any] = Queue(lambda unit: unit.candidates[0].proposal.genome)
    for id, work in enumerate(works):
        queue.add(unit(id, work))
    return queue


def test_least_work_once_then_most_work_of_equals_the_lowest_id() -> None:
    queue = by_work(2.0, 1.0, 3.0, 1.0, 3.0)
    first = queue.first()
    assert first is not None and first.candidates[0].id == 1
    assert order(queue) == [1, 2, 4, 0, 3]
    queue.add(unit(5, 1.0))
    queue.add(unit(6, 2.0))
    assert order(queue) == [6, 5], "once for all of the queue's life"


def test_unknown_work_is_the_least() -> None:
    assert order(by_work(1.0, None, 3.0, None)) == [1, 2, 0, 3]


def test_dropped_units_do_not_fit() -> None:
    queue = by_work(1.0, 3.0, 2.0)
    queue.drop_until(lambda unit: unit.candidates[0].id == 2)
    assert order(queue) == [2]


def test_without_work_by_id() -> None:
    queue: Queue[Any] = Queue(lambda unit: None)
    assert queue.first() is None
    for id in (4, 2, 9, 0):
        queue.add(unit(id, None))
    assert order(queue) == [0, 2, 4, 9]
