"""Runs of job=neurons: searched, broken off and resumed, verified, and trained again with the test part."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OWN = ("--config-dir", "own", "--allow-module", "neural_space")
WORDS = ("job=neurons", "space=graphs", "job.steps=20", "job.check_every=10", "strategy=random", "strategy.batch=6",
         "dataset=xor", "dataset.n_train=40", "evaluator=serial", "device=cpu", "--quiet")  # fmt: skip


@pytest.fixture
def run(evonas_here: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    (tmp_path / "own/space").mkdir(parents=True)
    (tmp_path / "own/space/graphs.yaml").write_text("_target_: neural_space.Graphs\nn_inputs: 2\nn_outputs: 1\n")

    def call(*words: str, code: int = 0) -> Any:
        done = evonas_here(*words)
        assert done.returncode == code, done.stderr
        return done

    return call


def entries(root: Path) -> list[dict[str, Any]]:
    """What must not differ between two runs of one configuration."""
    found = [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]
    kept = ("id", "genome", "status", "payload")
    seconds = ("train_seconds",)
    return [
        {**{key: entry.get(key) for key in kept}, **{k: v for k, v in entry["metrics"].items() if k not in seconds}}
        for entry in found
    ]


def test_a_run_that_is_resumed_is_the_run_that_was_not_broken_off(run: Callable[..., Any], tmp_path: Path) -> None:
    run("search", *WORDS, "budget.evaluations=12", *OWN, "--run-dir", "whole")
    run("search", *WORDS, "budget.evaluations=5", *OWN, "--run-dir", "parted")
    run("resume", "parted", "budget.evaluations=12", *OWN[2:], "--quiet")
    whole = entries(tmp_path / "whole")
    assert len(whole) == 12 and whole == entries(tmp_path / "parted")
    assert "ok: 12 evaluations" in run("verify", "whole", *OWN[2:]).stdout


def test_the_test_part_is_measured_by_retraining(run: Callable[..., Any], tmp_path: Path) -> None:
    run("search", *WORDS, "budget.evaluations=6", *OWN, "--run-dir", "run")
    assert not any("test_error" in entry for entry in entries(tmp_path / "run"))
    done = run("retrain", "run", "best", "--seeds", "1", *OWN[2:], "--run-dir", "again", "--quiet")
    assert "test_error" in done.stdout
    [again] = entries(tmp_path / "again")
    [first] = [entry for entry in entries(tmp_path / "run") if entry["genome"] == again["genome"]]
    assert again["valid_loss"] == first["valid_loss"] and 0 <= again["test_error"] <= 1
    refused = run("retrain", "run", "best", "--full", *OWN[2:], code=2)
    assert "cannot train on the validation part" in refused.stderr


def test_a_space_of_another_task_is_refused_before_training(run: Callable[..., Any]) -> None:
    done = run("search", *WORDS, "space.n_inputs=3", *OWN, "--run-dir", "run", code=2)
    assert "none of 20 samples of the space Graphs has a graph of 2 inputs" in done.stderr
    assert "Traceback" not in done.stderr
