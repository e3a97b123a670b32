"""A search for settings that begins with the configured ones: its dry run, and its resume."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evonas_cli.cli.app import run

SMALL = ("space=hyperparameters", "space.channels=[2,2]", "space.hidden=4", "trainer.epochs=1", "dataset.limit=200")
SEARCH = ("search", *SMALL, "evaluator=serial", "--quiet")


def journal(name: str) -> list[dict[str, object]]:
    kept = ("id", "genome", "operator", "parents")
    lines = [json.loads(line) for line in Path(name, "journal.jsonl").read_text().splitlines()]
    return [{**{key: line[key] for key in kept}, "loss": line["metrics"]["valid_loss"]} for line in lines]


def test_a_dry_run_says_what_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", *SMALL, "--dry-run"]) == 0
    assert "start       6 given genomes (configured)\n" in capsys.readouterr().out
    assert run(["search", *SMALL, "start_from=null", "--dry-run"]) == 0
    assert "start" not in capsys.readouterr().out


def test_a_run_goes_on_with_what_is_left_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    batches = ["strategy=random", "strategy.batch=2", "start_best=3"]
    assert run([*SEARCH, *batches, "budget.evaluations=6", "--run-dir", "whole"]) == 0
    assert run([*SEARCH, *batches, "budget.evaluations=2", "--run-dir", "broken"]) == 0
    assert run(["resume", "broken", "budget.evaluations=6", "--quiet"]) == 0
    assert journal("broken") == journal("whole")
    assert [line["operator"] for line in journal("whole")] == [*["start"] * 3, *["sample"] * 3]
    assert run(["verify", "whole"]) == 0
    assert run([*SEARCH, "strategy.population_size=4", "budget.evaluations=8", "--run-dir", "evolved"]) == 0
    assert [line["operator"] for line in journal("evolved")[:4]] == ["start", "start", "sample", "sample"]
