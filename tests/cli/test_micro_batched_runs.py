"""A run in which memory did not suffice for whole batches of one candidate: flagged, not replayed, not cached."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.candidates import fitting

Evonas = Callable[..., subprocess.CompletedProcess[str]]
SEARCH = (
    *("search", "space=nasbench201", "space.channels=2", "space.nodes=3", "strategy=random", "budget.evaluations=3"),
    *("dataset=digits", "dataset.limit=200", "device=cpu", "trainer.epochs=1", "evaluator=serial", "--quiet"),
)


def scarce(monkeypatch: pytest.MonkeyPatch, candidates: int) -> None:
    """The first candidates, of three tries each, have no room for more than 40 examples of a batch of 64."""
    made: list[int] = []

    class Scarce(Population):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            made.append(0)
            self.first = len(made) <= 3 * candidates

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.first and self.training and len(x) > 40:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(x)

    monkeypatch.setattr(fitting, "Population", Scarce)


def labels(run: Path) -> list[str | None]:
    entries = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    return [entry["labels"].get("micro_batches") for entry in sorted(entries, key=lambda entry: entry["id"])]


def test_a_candidate_in_micro_batches(evonas_here: Evonas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scarce(monkeypatch, 1)
    cache = tmp_path / "cache.sqlite"
    assert evonas_here(*SEARCH, f"cache={cache}", "--run-dir", "run").returncode == 0
    assert labels(tmp_path / "run") == ["2", None, None]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    shown = evonas_here("show", "run").stdout
    assert (
        "micro_batched   1 of 3 for lack of memory; their metrics are not those of trainings in whole batches" in shown
    )
    assert json.loads(evonas_here("show", "run", "--json").stdout)["micro_batched"] == 1
    assert '"micro_batches": "2"' in evonas_here("show", "run", "0").stdout
    assert evonas_here("report", "run", "-o", "page.html").returncode == 0
    assert "1 in micro-batches for lack of memory" in (tmp_path / "page.html").read_text()

    replayed = evonas_here("verify", "run", "--replay", "--json")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert json.loads(replayed.stdout)["complete"]

    assert evonas_here(*SEARCH, f"cache={cache}", "--run-dir", "again").returncode == 0
    assert labels(tmp_path / "again") == [None, None, None]
    entries = [json.loads(line) for line in (tmp_path / "again/journal.jsonl").read_text().splitlines()]
    assert sorted(entry["id"] for entry in entries if "recalled" in entry["labels"]) == [1, 2]


def test_what_continues_it_is_not_replayed(
    evonas_here: Evonas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scarce(monkeypatch, 4)
    halving = ("strategy=halving", "strategy.rungs=[[4,1],[2,2]]", "strategy.continues=true", "trainer.save_state=true")
    changed = (
        "space=hyperparameters",
        "space.channels=[4,4]",
        "budget.evaluations=6",
        "trainer.epochs=2",
        "trainer.stack=1",
    )
    words = (*SEARCH, *halving, *changed)
    given = {word.partition("=")[0]: word for word in words if word != "space.nodes=3"}
    assert evonas_here(*given.values(), "--run-dir", "run").returncode == 0
    assert labels(tmp_path / "run") == ["2"] * 4 + [None] * 2
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    replayed = evonas_here("verify", "run", "--replay", "--json")
    assert replayed.returncode == 0 and json.loads(replayed.stdout)["complete"], replayed.stdout
