"""Exports of graphs of neurons: every form, checked without evonas, and used on raw inputs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evonas_cli.cli.app import run

SMALL = ("search", "strategy=backprop_neat", "dataset=xor", "dataset.n_train=60", "job.steps=60", "device=cpu",
         "strategy.population_size=8", "strategy.clusters=2", "budget.evaluations=20", "evaluator=serial",
         "--quiet")  # fmt: skip


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("export") / "run"
    assert run([*SMALL, "--run-dir", str(root)]) == 0
    return root


def test_trained_neurons_leave_as_files_that_give_the_same_answers(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    assert run(["export", str(searched), "best", "--format", "dir,py,onnx", "-o", str(folder), "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["exported"]
    lines = [json.loads(line) for line in (searched / "journal.jsonl").read_text().splitlines()]
    [entry] = [line for line in lines if line["id"] == found["candidate"]]
    assert found["right"] == round((1 - entry["metrics"]["valid_error"]) * found["examples"])
    assert f"{int(entry['metrics']['links'])} parameters" in (folder / "README.md").read_text()
    x = np.random.default_rng(0).uniform(-5, 5, (20, 2)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x)
    assert run(["predict", str(folder / "plan.json"), str(tmp_path / "x.npz")]) == 0
    ours = capsys.readouterr().out
    command = [sys.executable, "-I", str(folder / "model.py"), str(tmp_path / "x.npz")]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [[line.split(",") for line in text.splitlines()[1:]] for text in (ours, theirs)]
    assert [row[1] for row in rows[0]] == [row[1] for row in rows[1]] and len(rows[0]) == 20
    assert np.allclose([[float(cell) for cell in row[2:]] for row in rows[0]],
                       [[float(cell) for cell in row[2:]] for row in rows[1]], atol=1e-5)  # fmt: skip


def test_what_there_is_not_is_one_line(searched: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "has no candidate 99" in refused(3, "export", str(searched), "99", "-o", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
