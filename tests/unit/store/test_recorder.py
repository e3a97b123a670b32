"""What a running search writes beside the journal, and how often."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.core.fold import Fold
from evonas_cli.evaluation.serial import Serial
from evonas_cli.run.assembly import Parts
from evonas_cli.run.in_flight import InFlight
from evonas_cli.run.lazy import Started
from evonas_cli.run.search import search
from evonas_cli.store import derived, snapshots
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.recorder import SNAPSHOT_SHARE, Recorder

WORDS = ("space=bits", "job=landscape", "strategy=regularized_evolution", "window=1", "budget.evaluations=300")


@dataclass
class Clock:
    """Shows the seconds that evaluations and snapshots are said to have taken."""

    evaluation: float
    snapshot: float
    now: float = 0.0
    saved: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def evaluated(self, candidate: object, result: object) -> None:
        self.now += self.evaluation


@pytest.fixture
def run(
    compose_parts: Callable[..., Parts], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Clock], tuple[RunDirectory, Fold[Any], Recorder]]:
    """Runs a search by the clock up to its end, but for the recorder's last words."""
    save = snapshots.save

    def started(clock: Clock) -> tuple[RunDirectory, Fold[Any], Recorder]:
        def slow(*given: Any) -> None:
            save(*given)
            clock.now += clock.snapshot
            clock.saved.append(clock.now)

        monkeypatch.setattr(snapshots, "save", slow)
        parts, directory = compose_parts(*WORDS), RunDirectory(tmp_path)
        evaluator = Serial(parts.job, directory)
        evaluator.start()
        fold, recorder = parts.fold(), Recorder(directory, parts.space, clock, every=2, watch=clock.evaluated)
        search(fold, evaluator, recorder)
        return directory, fold, recorder

    return started


def steps(folder: Path) -> list[int]:
    return [int(path.stem) for path in snapshots.numbered(folder)]


def test_snapshots_take_their_share_of_the_time_at_most(run: Callable[..., Any]) -> None:
    clock = Clock(evaluation=0.1, snapshot=0.5)
    directory, _, _ = run(clock)
    assert len(clock.saved) >= 3
    for number, at in enumerate(clock.saved):
        assert number * clock.snapshot <= SNAPSHOT_SHARE * (at - clock.snapshot)
    assert len(steps(directory.root / "populations")) > 10 * len(clock.saved)


def test_a_snapshot_is_written_with_every_population_where_it_costs_little(run: Callable[..., Any]) -> None:
    clock = Clock(evaluation=10.0, snapshot=0.5)
    directory, _, _ = run(clock)
    assert len(clock.saved) == len(steps(directory.root / "populations")) > 50


@pytest.mark.parametrize(("evaluation", "fresh"), [(0.0, False), (10.0, True)])
def test_the_table_is_written_with_the_front_each_second_and_at_the_end(
    run: Callable[..., Any], evaluation: float, fresh: bool
) -> None:
    directory, fold, recorder = run(Clock(evaluation, snapshot=0.0))
    front = json.loads((directory.root / "fronts" / f"{steps(directory.root / 'fronts')[-1]}.json").read_text())
    table = directory.root / "pareto.csv"
    assert (table.read_text() == derived.pareto_csv(front)) is fresh
    recorder.finish(fold, "done")
    assert table.read_text() == derived.pareto_csv(derived.front_file(fold, recorder.journal.read))
    recorder.close()


def test_time_counts_from_the_first_work_to_the_last_word(compose_parts: Callable[..., Parts], tmp_path: Path) -> None:
    """Not while workers start, nor in a session that had nothing to do."""
    clock, elapsed = Clock(evaluation=0.5, snapshot=0.0), []
    made: dict[str, Any] = {"identity": {}, "environment": {}, "choices": {}, "allowed_modules": []}
    RunDirectory(tmp_path).create("", {**made, "created": "2026-01-01"})
    for evaluations, starting in ((12, 0.0), (12, 100.0), (16, 100.0)):
        parts, directory = compose_parts(*WORDS[:-1], f"budget.evaluations={evaluations}"), RunDirectory(tmp_path)
        in_flight = InFlight(directory)
        evaluator = Started(Serial(parts.job, in_flight), parts.strategy, lambda environment: None, in_flight)
        mark = directory.mark()
        fold, recorder = parts.fold(), Recorder(directory, parts.space, clock, watch=clock.evaluated, mark=mark)
        evaluator.meter = recorder.meter
        clock.now += starting
        search(fold, evaluator, recorder)
        recorder.finish(fold, "done")
        clock.now += 7.0
        elapsed.append(recorder.elapsed)
        assert json.loads((tmp_path / "status.json").read_text())["elapsed_seconds"] == elapsed[-1]
        recorder.close()
    assert elapsed == [6.0, 6.0, 8.0]
