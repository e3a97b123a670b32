"""Candidates whose weights are lost are trained again before those that continue them, and appear in no result."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.halting import Deadline, Ended
from evonas_cli.core.types import LOST, Candidate, Failure, Heir, Origin, Proposal, Result, Unit
from evonas_cli.evaluation.serial import Serial
from evonas_cli.run.assembly import assemble
from evonas_cli.run.retraining import Retraining
from evonas_cli.run.session import create
from evonas_cli.spaces.bits import Bits
from evonas_cli.store import records
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal

SPACE = Bits(length=3)


def candidate(id: int, step: int, continues: int | None = None) -> Candidate[Any]:
    return Candidate(id, step, 100 + id, Proposal((0, 1, 0), continues=continues))


class Shelf:
    """An evaluator that has the weights of `there`, and evaluates unit by unit."""

    slots = 1

    def __init__(self, *there: int) -> None:
        self.there, self.waiting = set(there), []
        self.units_evaluated: list[tuple[list[int], int, tuple[int, ...]]] = []
        self.made: dict[int, str] = {}
        self.failing: dict[int, Failure] = {}
        self.forgetful = False
        self.origins: dict[int, Origin] = {}

    def start(self) -> dict[str, Any]:
        return {}

    def units(self, asked: Sequence[Candidate[Any]]) -> list[Unit[Any]]:
        return [Unit(tuple(asked), len(asked), tuple(range(len(asked))))]

    def submit(self, units: Sequence[Unit[Any]]) -> None:
        self.waiting += units

    def collect(self, deadline: Deadline | None = None) -> list[Result]:
        unit = self.waiting.pop(0)
        self.units_evaluated.append(([c.id for c in unit.candidates], unit.width, unit.places))
        return [self._result(c) for c in unit.candidates]

    def _result(self, found: Candidate[Any]) -> Result:
        if found.id in self.failing:
            return Result(found.id, "failed", error=self.failing[found.id])
        source = found.proposal.continues
        if source is not None:
            assert isinstance(found, Heir)
            self.origins[found.id] = found.origin
            if source not in self.there:
                return Result(found.id, "failed", error=Failure(LOST, f"{source}/state.pt is missing"))
        if not self.forgetful:
            self.there.add(found.id)
        return Result(found.id, "ok", {"epochs": 2}, labels={"state": self.made.get(found.id, f"hash {found.id}")})

    def stop(self) -> Ended:
        return Ended(self.collect() if self.waiting else [])

    def close(self) -> None:
        self.waiting.clear()


Make = Callable[..., Retraining]


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Make]:
    """A journal of candidates 0 to 3, trained in one program, 4, which continues 1, and 5, which continues 4."""
    journal = Journal(tmp_path / "journal.jsonl")
    rows = [(candidate(id, 0), f"{id}/4") for id in range(4)] + [
        (candidate(4, 1, 1), "0/1"),
        (candidate(5, 2, 4), "0/1"),
    ]
    for row, stack in rows:
        result = Result(row.id, "ok", {"epochs": 2}, labels={"state": f"hash {row.id}", "stack": stack})
        journal.append([records.entry(row, result, SPACE, 0.0)])
    yield lambda shelf: Retraining(shelf, journal, SPACE)
    journal.close()


def sent(retraining: Retraining, *candidates: Candidate[Any], width: int = 1) -> list[Result]:
    """All results of the candidates, submitted as one unit if the width is above 1."""
    places = tuple(range(len(candidates)))
    together = [Unit(candidates, width, places)] if width > 1 else [Unit((c,)) for c in candidates]
    retraining.submit(together)
    results: list[Result] = []
    while len(results) < len(candidates):
        results += retraining.collect()
    return results


def test_what_continues_kept_weights_is_told_what_is_recorded_of_them(around: Make) -> None:
    shelf = Shelf(2)
    (result,) = sent(around(shelf), candidate(6, 3, 2))
    assert result.status == "ok" and shelf.units_evaluated == [([6], 1, (0,))]
    assert shelf.origins == {6: Origin(102, 2, "hash 2")}


def test_lost_weights_are_trained_again_at_their_places(around: Make, caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(0)
    with caplog.at_level(logging.WARNING):
        results = sent(around(shelf), *[candidate(id, 3, source) for id, source in ((6, 1), (7, 0), (8, 3))], width=3)
    assert sorted(result.id for result in results) == [6, 7, 8]
    assert all(result.status == "ok" for result in results)
    assert shelf.units_evaluated == [([6, 7, 8], 3, (0, 1, 2)), ([1, 3], 4, (1, 3)), ([6, 8], 3, (0, 2))]
    assert [record.getMessage() for record in caplog.records] == [
        f"training candidate {id} again: its weights are lost ({id}/state.pt is missing)" for id in (1, 3)
    ]


def test_weights_are_trained_again_once_for_all_who_continue_them(around: Make) -> None:
    shelf = Shelf()
    results = sent(around(shelf), candidate(6, 3, 2), candidate(7, 3, 2))
    assert [result.id for result in results] == [6, 7]
    assert [ids for ids, _, _ in shelf.units_evaluated] == [[6], [7], [2], [6], [7]]


def test_a_chain_is_trained_again_from_where_there_are_weights(around: Make) -> None:
    shelf = Shelf()
    retraining = around(shelf)
    (result,) = sent(retraining, candidate(6, 3, 5))
    assert result.id == 6 and result.status == "ok"
    assert [ids for ids, _, _ in shelf.units_evaluated] == [[6], [5], [4], [1], [4], [5], [6]]
    shelf.there.clear()
    (again,) = sent(retraining, candidate(7, 4, 5))
    assert again.status == "ok", "what was lost once may be lost once more later"


def test_other_weights_are_told_and_taken(around: Make, caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf()
    shelf.made[2] = "another hash"
    with caplog.at_level(logging.WARNING):
        sent(around(shelf), candidate(6, 3, 2))
    assert "candidate 2, trained again, has other weights than the run recorded" in caplog.records[-1].getMessage()
    assert "resume it on the machine" in caplog.records[-1].getMessage()
    assert shelf.origins[6] == Origin(102, 2, "another hash")


def test_what_cannot_be_trained_again_stops_the_run_after_the_results_beside_it(around: Make) -> None:
    shelf = Shelf(0)
    shelf.failing[1] = Failure("oom", "no room")
    retraining = around(shelf)
    retraining.submit([Unit((candidate(6, 3, 1), candidate(7, 3, 0)), 2, (0, 1))])
    assert [result.id for result in retraining.collect()] == [7]
    with pytest.raises(EnvironmentFailure, match=r"candidate 1, whose weights are lost, could not .* \(oom: no room\)"):
        retraining.collect()


def test_weights_that_get_lost_again_and_again_stop_the_run(around: Make) -> None:
    shelf = Shelf()
    shelf.forgetful = True
    with pytest.raises(EnvironmentFailure, match="candidate 6 cannot continue, although .*: 2/state.pt is missing"):
        sent(around(shelf), candidate(6, 3, 2))


def test_older_lines_have_no_checksum(tmp_path: Path) -> None:
    row = records.entry(candidate(0, 0), Result(0, "ok", {"epochs": 3}), SPACE, 0.0)
    assert records.origin_of(row) == Origin(100, 3, None)


def test_strategies_that_hand_nothing_on_are_evaluated_without(tmp_path: Path) -> None:
    parts = assemble(compose(("job=landscape", "space=bits", "strategy=random", "budget.evaluations=4")).config)
    session = create(RunDirectory(tmp_path / "run"), parts, {}, lambda candidate, result: None, ["search"])
    try:
        assert isinstance(session.evaluator.evaluator, Serial)
    finally:
        session.close()
