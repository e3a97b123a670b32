"""The queue hands out what has the most work."""

from __future__ import annotations

from typing import Any

from evonas_cli.core.types import Candidate, Proposal, Unit
from evonas_cli.evaluation.queue import Queue


def unit(id: int, work: float | None) -> Unit[Any]:
    return Unit((Candidate(id, 0, 0, Proposal(work)),))


def order(queue: Queue[Any]) -> list[int]:
    return [queue.pop().candidates[0].id for _ in range(len(queue))]


def test_most_work_first_of_equals_the_lowest_id() -> None:
    queue: Queue[Any] = Queue(lambda unit: unit.candidates[0].proposal.genome)
    for id, work in enumerate([1.0, 3.0, None, 3.0, 2.0], start=1):
        queue.add(unit(id, work))
    first = queue.first()
    assert first is not None and first.candidates[0].id == 2
    assert order(queue) == [2, 4, 5, 1, 3]


def test_the_first_candidate_of_a_run_goes_first_where_it_is_alone() -> None:
    queue: Queue[Any] = Queue(lambda unit: unit.candidates[0].proposal.genome)
    for id, work in enumerate([1.0, 3.0]):
        queue.add(unit(id, work))
    assert order(queue) == [0, 1]
    queue.add(unit(2, 3.0))
    queue.add(Unit((Candidate(0, 0, 0, Proposal(1.0)), Candidate(1, 0, 0, Proposal(1.0))), 2, (0, 1)))
    assert order(queue) == [2, 0]


def test_without_work_by_id() -> None:
    queue: Queue[Any] = Queue(lambda unit: None)
    assert queue.first() is None
    for id in (4, 2, 9, 0):
        queue.add(unit(id, None))
    assert order(queue) == [0, 2, 4, 9]
