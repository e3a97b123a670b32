"""What the workers were busy with: between ask and tell, over sessions, and never in what is compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.types import Candidate, Proposal, Result, Unit
from evonas_cli.run.assembly import Parts
from evonas_cli.run.search import search
from evonas_cli.run.session import create, reopen
from evonas_cli.run.verify import verify
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal
from evonas_cli.store.throughput import Meter, Spent, ThroughputLog, read, summary


def unit(*ids: int) -> Unit[Any]:
    candidates = tuple([Candidate(id, 0, 0, Proposal(None)) for id in ids])
    return Unit(candidates, len(ids), tuple(range(len(ids))))


def results(*ids: int) -> list[Result]:
    return [Result(id, "ok") for id in ids]


class Clock:
    """A clock that goes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_worker_is_idle_when_there_are_fewer_units_than_workers() -> None:
    clock = Clock()
    meter = Meter(2, clock)
    clock.now += 5
    meter.submitted([unit(0), unit(1, 2), unit(3)])
    clock.now += 4
    meter.returned(results(0))
    clock.now += 4
    meter.returned(results(1, 2))
    clock.now += 2
    meter.returned(results(3))
    assert meter.told(0) == {"step": 0, "workers": 2, "seconds": 10.0, "idle_share": pytest.approx(0.1)}
    assert meter.told(1) is None


def test_a_unit_is_over_with_its_last_result() -> None:
    clock = Clock()
    meter = Meter(1, clock)
    meter.submitted([unit(0, 1)])
    clock.now += 1
    meter.returned(results(1))
    clock.now += 1
    meter.returned(results(0))
    clock.now += 2
    line = meter.told(0)
    assert line is not None and line["idle_share"] == 0.5


def test_steps_overlap_under_a_window() -> None:
    clock = Clock()
    meter = Meter(2, clock)
    for step in (0, 1):
        meter.submitted([replace(unit(step), candidates=(Candidate(step, step, 0, Proposal(None)),))])
    clock.now += 3
    meter.returned(results(1))
    clock.now += 3
    meter.returned(results(0))
    assert [meter.told(step) for step in (0, 1)] == [
        {"step": step, "workers": 2, "seconds": 6.0, "idle_share": 0.25} for step in (0, 1)
    ]


def test_the_log_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "throughput.jsonl"
    log = ThroughputLog(path)
    assert log.idle_share is None
    log.add({"step": 0, "workers": 2, "seconds": 3.0, "idle_share": 0.5})
    log.add({"step": 1, "workers": 2, "seconds": 0.5, "idle_share": 1.0})
    assert len(list(read(path))) == 1
    log.flush()
    with path.open("a") as file:
        file.write('{"step": 2, "work')
    log = ThroughputLog(path)
    assert log.idle_share == pytest.approx((3.0 + 1.0) / (6.0 + 1.0))
    log.add({"step": 2, "workers": 1, "seconds": 7.0, "idle_share": 0.0})
    assert [line["step"] for line in read(path)] == [0, 1, 2]
    assert log.idle_share == pytest.approx(4.0 / 14.0)


def test_figures_of_the_journal() -> None:
    spent = Spent()
    spent.add({"seconds": 4.0, "metrics": {"train_seconds": 3.0}})
    spent.add({"seconds": 0.0, "metrics": {"train_seconds": 0.0}, "cached": 0})
    spent.add({"seconds": 2.0, "metrics": {}})
    spent.add({"seconds": 2.0, "metrics": {"train_seconds": 90.0}})
    assert summary(spent, 4.0, 0.25) == {
        "candidates_per_hour": 2700.0,
        "device_seconds_per_candidate": 2.667,
        "share_training": 0.625,
        "idle_share": 0.25,
    }
    assert set(summary(Spent(), 0.0, None).values()) == {None}


@pytest.mark.parametrize("break_after", [None, 4])
def test_a_run_of_several_sessions(
    compose_parts: Callable[..., Parts], tmp_path: Path, break_after: int | None
) -> None:
    broken = () if break_after is None else (f"evaluator.break_after={break_after}",)
    parts = compose_parts(
        "space=bits", "job=landscape", "strategy=genetic", "strategy.population_size=5", "evaluator=fake", *broken
    )
    run, sessions = RunDirectory(tmp_path / "run"), 1
    session = create(run, parts, {}, lambda candidate, result: None, ["search"])
    while True:
        try:
            search(session.fold, session.evaluator, session.recorder, session.deadline, session.cache)
            break
        except EnvironmentFailure:
            session.close()
            session, sessions = reopen(run, parts, lambda candidate, result: None), sessions + 1
    session.recorder.finish(session.fold, "done", session.why())
    session.close()
    assert (sessions > 2) == (break_after is not None)
    told = session.fold.position.told
    steps = [line["step"] for line in read(run.throughput)]
    assert steps == sorted(set(steps)) and steps[-1] == told - 1
    throughput = run.status()["throughput"]
    journal = Journal(run.journal, write=False)
    assert journal.spent == session.recorder.journal.spent and journal.spent.evaluated == len(journal)
    assert 0 <= throughput["idle_share"] <= 1 and throughput["candidates_per_hour"] > 0
    assert throughput["share_training"] is None
    verdict = verify(run, parts)
    run.throughput.write_text(json.dumps({"step": 0, "workers": 3, "seconds": 1.0, "idle_share": 0.9}) + "\n")
    assert verdict.ok and verify(run, parts) == verdict


def test_short_steps_share_a_line(tmp_path: Path) -> None:
    log = ThroughputLog(tmp_path / "throughput.jsonl")
    for step in range(10):
        log.add({"step": step, "workers": 1, "seconds": 0.002, "idle_share": 0.5 * (step % 2)})
    log.add({"step": 10, "workers": 1, "seconds": 2.0, "idle_share": 0.0})
    lines = [json.loads(line) for line in (tmp_path / "throughput.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 5, 8, 10]
    assert sum(line["seconds"] for line in lines) == pytest.approx(2.02)
    assert log.idle_share == pytest.approx(0.25 * 0.02 / 2.02)
    log.add({"step": 11, "workers": 1, "seconds": 0.001, "idle_share": 1.0})
    log.flush()
    assert json.loads((tmp_path / "throughput.jsonl").read_text().splitlines()[-1])["step"] == 11
