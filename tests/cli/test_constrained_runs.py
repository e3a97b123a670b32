"""A search under constraints through the real command: what is refused before training, told and shown."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
GENES = ("space=hyperparameters", "space.channels=[4,8]", "space.hidden=16")
CHEAP = ("trainer.epochs=1", "dataset.limit=200", "evaluator=serial")
SEARCH = ("search", "strategy=random", *GENES, *CHEAP, "seed=1", "--quiet", "--run-dir", "run")


def entries(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("form", ['constraints={depth: "<= 1"}', 'constraints.depth="<= 1"'])
def test_what_misses_a_static_constraint_is_not_trained(form: str, evonas_here: Run, tmp_path: Path) -> None:
    done = evonas_here(*SEARCH, form, "budget.evaluations=3")
    assert done.returncode == 1
    assert "none of the 3 candidates succeeded; most often (3): refused" in done.stderr
    for entry in entries(tmp_path / "run"):
        assert entry["error"]["kind"] == "refused" and "constraints has depth <= 1" in entry["error"]["text"]
        assert "valid_error" not in entry["metrics"] and entry["metrics"]["depth"] > 1
    assert not list((tmp_path / "run").glob("candidates/*"))
    verified = evonas_here("verify", "run", "--replay")
    assert verified.returncode == 0 and verified.stderr.count(": same") == 3


def test_the_front_has_none_that_violates(evonas_here: Run, tmp_path: Path) -> None:
    landscape = ("search", "space=bits", "job=landscape", "strategy=genetic", "job.noise=0", "strategy.archive=false")
    words = (*landscape, "budget.evaluations=60", "--quiet", "--run-dir", "run", "seed=1")
    assert evonas_here(*words, 'constraints={true_error: ">= 0.5"}').returncode == 0
    front = json.loads(evonas_here("pareto", "run", "--json").stdout)["front"]
    errors = [entry["metrics"]["true_error"] for entry in entries(tmp_path / "run")]
    assert min(errors) < 0.5 <= min(error for error in errors if error >= 0.5) == front[0]["metrics"]["true_error"]
    assert evonas_here("verify", "run").returncode == 0
    done = evonas_here(*words[:-3], "--run-dir", "none", 'constraints={true_error: ">= 2"}')
    assert done.returncode == 1
    assert "no candidate that succeeded satisfies the constraints (true_error >= 2)" in done.stderr
    other = evonas_here("resume", "run", 'constraints={true_error: ">= 0.4"}')
    assert other.returncode != 0 and "constraints.true_error" in other.stderr


def test_bad_constraints_are_one_line_before_anything_is_made(evonas_here: Run, tmp_path: Path) -> None:
    done = evonas_here(*SEARCH, 'constraints={paramters: "<= 5"}')
    assert done.returncode == 2 and "did you mean parameters?" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not (tmp_path / "run").exists()
    shown = evonas_here(*SEARCH[:-4], 'constraints={parameters: "<= 500000"}', "--dry-run")
    assert "constraints parameters <= 500000" in shown.stdout
