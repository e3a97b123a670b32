"""`evonas verify --replay` evaluates a run in the programs that it had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evonas_cli.cli.app import run

SEARCH = (
    *("search", "space=hyperparameters", "strategy=random", "strategy.batch=8", "budget.evaluations=8", "--quiet"),
    *("trainer.epochs=1", "dataset.limit=200", "space.channels=[2,2]", "space.hidden=4", "evaluator=serial"),
    "space.genes={learning_rate:{low:0.01,high:0.1},batch_size:{options:[16,32]}}",
)


@pytest.mark.parametrize("kept", [8, 5])
def test_candidates_of_one_network_that_were_trained_apart_stay_apart(
    kept: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the rest of an ask is missing, from which the programs could be known."""
    folder = tmp_path / "run"
    assert run([*SEARCH, "--run-dir", str(folder)]) == 0
    lines = (folder / "journal.jsonl").read_text().splitlines(keepends=True)
    entries = [json.loads(line) for line in lines]
    assert {entry["genome"]["batch_size"] for entry in entries} == {16, 32}
    (folder / "journal.jsonl").write_text("".join(lines[:kept]))
    capsys.readouterr()
    assert run(["verify", str(folder), "--replay", "--repair"]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "candidate" in line]
    assert len(told) == kept and all(line.endswith(": same") for line in told)
