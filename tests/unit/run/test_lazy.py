"""An evaluator that is wrapped tells what is in flight, and who asks to be told hears of submissions."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.app import run
from evonas_cli.core.types import Candidate, Proposal, Result, Training, Unit
from evonas_cli.run.assembly import Parts
from evonas_cli.run.in_flight import InFlight
from evonas_cli.run.lazy import Started
from evonas_cli.store import recorder
from evonas_cli.store.directory import RunDirectory


def unit(*ids: int) -> Unit[object]:
    candidates = tuple(Candidate(id, 0, 0, Proposal(None)) for id in ids)
    return Unit(candidates, len(ids), tuple(range(len(ids))))


class Queue:
    """An evaluator that gives back what it is told to."""

    slots = 2

    def __init__(self) -> None:
        self.ready: list[Result] = []

    def start(self) -> dict[str, object]:
        return {}

    def submit(self, units: object) -> None:
        pass

    def collect(self, deadline: object) -> list[Result]:
        return self.ready


def test_what_was_submitted_and_is_not_back(compose_parts: Callable[..., Parts], tmp_path: Path) -> None:
    queue = Queue()
    in_flight = InFlight(RunDirectory(tmp_path))
    strategy = compose_parts("space=bits", "job=landscape").strategy
    started = Started(queue, strategy, lambda environment: None, in_flight)  # type: ignore[arg-type]
    heard: list[list[list[int]]] = []
    started.submitted = lambda: heard.append(in_flight.units())
    started.submit([unit(4), unit(5, 6, 7)])
    assert heard == [[[4], [5, 6, 7]]]
    queue.ready = [Result(6, "ok"), Result(4, "ok")]
    started.collect()
    assert in_flight.units() == [[5, 7]]
    started.submit([unit(8)])
    queue.ready = [Result(7, "ok"), Result(5, "failed")]
    started.collect()
    assert in_flight.units() == heard[-1][1:] == [[8]]


def test_the_newest_report_of_what_is_in_flight(tmp_path: Path) -> None:
    in_flight = InFlight(RunDirectory(tmp_path))
    assert in_flight.folder(3) == tmp_path / "candidates/3"
    in_flight.submitted([unit(4), unit(5, 6, 7, 8), unit(9)])
    assert in_flight.trainings() == [], "nothing has been reported"
    for training in (Training((5, 6, 7, 8), 1, 8), Training((4,), 2, 8), Training((4,), 3, 8)):
        in_flight.report(training)
    assert in_flight.trainings() == [Training((4,), 3, 8), Training((5, 6, 7, 8), 1, 8)]
    in_flight.report(Training((5, 6), 1, 8))
    assert in_flight.trainings() == [Training((4,), 3, 8), Training((5, 6), 1, 8)], "it was divided"
    in_flight.returned([Result(4, "ok"), Result(5, "ok")])
    in_flight.report(Training((4,), 8, 8))
    assert in_flight.trainings() == [Training((5, 6), 1, 8)]
    in_flight.returned([Result(6, "failed")])
    assert in_flight.trainings() == [] and in_flight.units() == [[7, 8], [9]]
    assert pickle.loads(pickle.dumps(in_flight)).folder(3) == tmp_path / "candidates/3", "workers are sent it"


def test_the_status_of_a_run_tells_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[list[int]]] = []
    write = recorder.write_json

    def noted(path: Path, document: dict[str, object], **more: bool) -> None:
        seen.extend([document["in_flight"]] if path.name == "status.json" else [])  # type: ignore[list-item]
        write(path, document, **more)

    monkeypatch.setattr(recorder, "write_json", noted)
    monkeypatch.setattr(recorder, "SHOWN_SECONDS", 0.0)
    words = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=3", "window=1", "--quiet")
    assert run([*words, "--run-dir", str(tmp_path / "run")]) == 0
    assert [[0]] in seen and [[2]] in seen and seen[-1] == []
    assert json.loads((tmp_path / "run/status.json").read_text())["best"]["metric"] == "valid_error"
    assert RunDirectory(tmp_path / "run").state() == "done"
