"""Runs whose time is over while results are missing: what they hold, and how a longer budget goes on with them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.halting import Deadline, Ended
from evonas_cli.core.types import Candidate, Metric, Objective, Proposal, Result, Unit
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.conduct import conduct
from evonas_cli.run.session import Session, create, reopen
from evonas_cli.run.verify import repair, verify
from evonas_cli.spaces.bits import Bits
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal
from evonas_cli.strategies.random import RandomSearch

TOY = ("space=bits", "space.length=6", "job=landscape", "snapshot.every=3", "budget.evaluations=40")
LONG = "budget.seconds=1000"
OVER = Deadline(-math.inf, -math.inf)
STRATEGIES = {
    "genetic": ("strategy=genetic", "strategy.population_size=6", "window=2"),
    "random": ("strategy=random", "window=7"),
    "evolution": ("strategy=regularized_evolution", "strategy.population_size=5", "window=4"),
    "repeats": ("strategy=regularized_evolution", "strategy.population_size=5", "window=4", "dedupe=string"),
}


def parts_of(*overrides: str) -> Parts:
    return assemble(compose([*TOY, *overrides]).config)


def opened(run: RunDirectory, parts: Parts) -> Session:
    watch: Callable[[Any, Any], None] = lambda candidate, result: None  # noqa: E731
    return reopen(run, parts, watch) if run.exists() else create(run, parts, {}, watch, ["search"])


def conducted(session: Session, looks: int | None = None) -> str:
    """Runs the session, whose time is over when it has looked at the clock so often after asking what is recorded."""
    real, count = session.deadline, iter(range(1_000_000))

    def deadline() -> Deadline | None:
        found = real()
        return OVER if found is not None and looks is not None and next(count) >= looks else found

    session.deadline = deadline  # type: ignore[method-assign]
    try:
        return conduct(session)
    finally:
        session.close()


def entries(run: RunDirectory) -> list[dict[str, Any]]:
    """The journal by id, without what a clock says."""
    with closing(Journal(run.journal, write=False)) as journal:
        lines = sorted(journal, key=lambda entry: entry["id"])
    return [{key: value for key, value in each.items() if key not in ("seconds", "elapsed", "crc")} for each in lines]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_run_that_its_time_ended_again_and_again_ends_as_the_undisturbed_one(
    name: str, seed: int, tmp_path: Path
) -> None:
    rng = random.Random(f"{name}/{seed}")
    parts = parts_of(*STRATEGIES[name], LONG, "evaluator=fake", f"evaluator.shuffle_seed={seed}")
    whole = RunDirectory(tmp_path / "whole")
    conducted(opened(whole, parts))
    run, holes, before = RunDirectory(tmp_path / "run"), 0, 0
    while before < 40:
        reason = conducted(opened(run, parts), rng.randint(1, 12))
        verdict = verify(run, parts)
        assert verdict.problems == [] and verdict.complete
        ids = [entry["id"] for entry in entries(run)]
        holes += ids != list(range(len(ids)))
        assert entries(run) == [entry for entry in entries(whole) if entry["id"] in set(ids)]
        assert run.status()["in_flight"] == [] and len(ids) >= before
        assert (len(ids) == 40) == (reason == "budget.evaluations=40 is used up")
        before = len(ids)
    assert holes > 0
    assert verify(run, parts).digest == verify(whole, parts).digest


def test_resuming_under_the_same_budget_begins_nothing(tmp_path: Path) -> None:
    parts = parts_of(*STRATEGIES["random"], LONG, "evaluator=fake")
    run = RunDirectory(tmp_path / "run")
    conducted(opened(run, parts), 20)
    before, verdict = entries(run), verify(run, parts).document()
    session = opened(run, parts)
    assert conducted(session, 0) == "budget.seconds=1000 is used up"
    assert not session.evaluator.running and session.ended == Ended()
    assert entries(run) == before and verify(run, parts).document() == verdict


def test_a_run_that_its_time_ended_is_repaired_as_one(tmp_path: Path) -> None:
    parts = parts_of(*STRATEGIES["genetic"], LONG, "evaluator=fake")
    run = RunDirectory(tmp_path / "run")
    conducted(opened(run, parts), 25)
    verdict = verify(run, parts).document()
    repair(run, parts)
    assert run.state() == "done" and verify(run, parts).document() == verdict


class Late:
    """An evaluator whose candidates take a second; `stop` hands out one that has just ended."""

    slots = 3

    def __init__(self, evaluator: Any) -> None:
        self.evaluator, self.units_given = evaluator, list[Unit[Any]]()

    def start(self) -> Any:
        return self.evaluator.start()

    def units(self, asked: Any) -> Any:
        return self.evaluator.units(asked)

    def submit(self, units: Any) -> None:
        self.units_given += units

    def collect(self, deadline: Deadline | None = None) -> list[Result]:
        return []

    def stop(self) -> Ended:
        self.evaluator.submit(self.units_given[1:2])
        return Ended(self.evaluator.collect(), (0,), (2,))

    def close(self) -> None:
        self.evaluator.close()


def test_what_ends_while_the_others_stop_is_recorded(tmp_path: Path) -> None:
    parts = parts_of("strategy=random", "window=3", LONG)
    run = RunDirectory(tmp_path / "run")
    session = opened(run, parts)
    late = session.evaluator.evaluator = Late(session.evaluator.evaluator)
    assert conducted(session) == "budget.seconds=1000 leaves no time for another epoch"
    assert session.ended is not None and (session.ended.at_epoch, session.ended.within) == ((0,), (2,))
    assert [unit.candidates[0].id for unit in late.units_given] == [0, 1, 2]
    assert [entry["id"] for entry in entries(run)] == [1] and run.state() == "done"
    verdict = verify(run, parts)
    assert verdict.problems == [] and verdict.complete
    conducted(opened(run, parts))
    whole = RunDirectory(tmp_path / "whole")
    conducted(opened(whole, parts))
    assert verify(run, parts).digest == verify(whole, parts).digest


@pytest.mark.parametrize(("cost", "front"), [(None, [3]), (10.0, [0])])
def test_a_limit_of_cost_counts_up_to_the_first_missing_result(cost: float | None, front: list[int]) -> None:
    """Under a longer budget the missing one may be what exceeds the limit."""
    objective = Objective("error", Metric("min"))
    fold = Fold(RandomSearch(space=Bits(length=3)), [objective], 0, 4, Budget(seconds=1.0, cost=cost))
    batch = [candidate for _ in range(4) for candidate in fold.ask()]
    for candidate in (batch[0], batch[2], batch[3]):
        fold.add(candidate, Result(candidate.id, "ok", {"error": 1.0 / (1 + candidate.id), "cost": 4.0}))
    fold.tell()
    assert not fold.ready() and fold.missing == 1
    fold.close()
    assert [id for id, _ in fold.front.members] == front


@pytest.fixture
def retraining(tmp_path: Path) -> Iterator[Any]:
    """An evaluator that trains again what is lost, around one whose time is over with three results at hand."""
    from evonas_cli.core.types import LOST, Failure
    from evonas_cli.run.retraining import Retraining

    class Inner:
        def submit(self, units: Any) -> None: ...

        def collect(self, deadline: Any) -> list[Result]:
            return []

        def stop(self) -> Ended:
            return Ended([Result(4, "ok"), Result(5, "failed", error=Failure(LOST, "gone"))], (6,))

    journal = Journal(tmp_path / "journal.jsonl")
    yield Retraining(Inner(), journal, Bits(length=3))  # type: ignore[arg-type]
    journal.close()


def test_what_found_no_weights_is_no_result_when_the_time_is_over(retraining: Any) -> None:
    retraining.submit([Unit((Candidate(id, 0, id, Proposal((0, 0, 0))),)) for id in (4, 5, 6)])
    assert retraining.collect(OVER) == [] == retraining.collect(), "nothing comes where a stop is asked for meanwhile"
    ended = retraining.stop()
    assert [result.id for result in ended.results] == [4] and ended.at_epoch == (6,)
