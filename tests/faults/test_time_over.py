"""Searches whose time is over in the midst of trainings: they end in time, and a longer budget goes on exactly."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Evonas = Callable[..., subprocess.CompletedProcess[str]]
SEARCH = ("dataset=digits", "dataset.limit=300", "device=cpu", "snapshot.every=2")
CASES = {
    "cells": (
        *("space=nasbench201", "space.channels=2", "trainer.epochs=6"),
        *("strategy=regularized_evolution", "strategy.population_size=3"),
    ),
    "stacks": (
        *("space=hyperparameters", "space.channels=[4,4]", "trainer.epochs=40", "trainer.save_state=true"),
        *("strategy=genetic", "strategy.population_size=3", "strategy.archive=false", "strategy.inherit=weights"),
    ),
}
STOPPED = re.compile(r"evonas: time budget reached: [0-9]+ trainings? stopped .*not recorded; a longer budget goes on")


def verified(evonas: Evonas, run: str) -> dict[str, Any]:
    done = evonas("verify", run, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def status(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "status.json").read_text())
    return found


def checkpoints(run: Path) -> list[Path]:
    return sorted((run / "candidates").glob("*/checkpoint.pt"))


@pytest.mark.parametrize("name", CASES)
def test_it_ends_in_time_and_goes_on_where_it_stopped(name: str, evonas_here: Evonas, tmp_path: Path) -> None:
    """In this process, where a training takes a sixth of a run: the first time is over within the first one."""
    words = ("search", *SEARCH, *CASES[name], "budget.evaluations=6", "evaluator=serial", "--quiet")
    assert evonas_here(*words, "--run-dir", "whole").returncode == 0
    seconds = status(tmp_path / "whole")["elapsed_seconds"]
    done = evonas_here(*words, "--run-dir", "run", f"budget.seconds={0.1 * seconds}")
    stops = 0
    for share in (0.1, 0.4, 0.7, None):
        if share != 0.1:
            limit = "null" if share is None else str(share * seconds)
            done = evonas_here("resume", "run", f"budget.seconds={limit}", "--quiet")
        verdict, found = verified(evonas_here, "run"), status(tmp_path / "run")
        assert verdict["complete"] and found["in_flight"] == []
        stops += STOPPED.search(done.stderr) is not None
        if share is not None and verdict["evaluations"] < 6:
            assert found["reason"].startswith("budget.seconds=")
    assert stops >= 1 and done.returncode == 0
    whole = verified(evonas_here, "whole")
    assert (verdict["evaluations"], verdict["digest"]) == (6, whole["digest"])
    assert checkpoints(tmp_path / "run") == []


def test_workers_stop_in_time_too(evonas: Evonas, evonas_here: Evonas, tmp_path: Path) -> None:
    """Trainings of minutes, of which nothing is recorded: the last lines say what to do, and the exit code is 1."""
    words = (*SEARCH, "space=chain_cnn", "space.filters=[4]", "space.layers=2", "trainer.epochs=100000", "window=2")
    words = (*words, "strategy=random", "evaluator.workers=2", "budget.seconds=3")
    done = evonas("search", *words, "--run-dir", "run")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    *_, stopped, last = done.stderr.splitlines()
    assert STOPPED.match(stopped) and "2 trainings stopped at an epoch's end" in stopped
    assert last.startswith("evonas: budget.seconds=3 ") and "so there is no result; set a larger budget.seconds" in last
    assert "`evonas resume run budget.seconds=...` goes on" in last
    found = status(tmp_path / "run")
    assert (found["state"], found["evaluations"], found["in_flight"]) == ("failed", 0, [])
    assert found["elapsed_seconds"] < 30, "a training takes minutes"
    assert [path.parent.name for path in checkpoints(tmp_path / "run")] == ["0", "1"]
    assert verified(evonas_here, "run")["complete"]
