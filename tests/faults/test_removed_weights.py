"""Weights that no later candidate needs are removed while a run goes on, and a resumed run misses none of them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.store import recorder, snapshots

SEARCH = (
    *("search", "--quiet", "dataset=digits", "dataset.limit=200", "device=cpu", "trainer.save_state=true"),
    *(
        "space=hyperparameters",
        "space.channels=[2,2]",
        "space.hidden=4",
        "evaluator=serial",
        "objectives=[valid_error]",
    ),
    *("snapshot.every=1", "snapshot.growth=1"),
)
CASES = {
    "weights": (
        *("strategy=genetic", "strategy.population_size=3", "strategy.archive=false", "strategy.inherit=weights"),
        "trainer.epochs=1",
    ),
    "halving": (
        *("strategy=halving", "strategy.continues=true", "strategy.candidates=4", "strategy.least_fidelity=0.5"),
        "trainer.epochs=2",
    ),
}
"""A generation of the first has 3 candidates, a bracket of the second 4 + 2."""


@pytest.fixture(autouse=True)
def every_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is left out for the time that it takes."""
    monkeypatch.setattr(recorder, "SNAPSHOT_SHARE", 1e9)


def verdict(root: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["verify", str(root), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("newest", ["kept", "lost"])
def test_a_run_resumed_from_either_snapshot_trains_nobody_again(
    name: str, newest: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for root, evaluations in ((whole, 24), (broken, 12)):
        assert run([*SEARCH, *CASES[name], f"budget.evaluations={evaluations}", "--run-dir", str(root)]) == 0
    if newest == "lost":
        snapshots.numbered(broken / "snapshots")[-1].unlink()
        lines = (broken / "journal.jsonl").read_text().splitlines(keepends=True)
        (broken / "journal.jsonl").write_text("".join(lines[:-1]))
    with caplog.at_level(logging.WARNING):
        assert run(["resume", str(broken), "budget.evaluations=24", "--quiet"]) == 0
    assert "again: its weights are lost" not in caplog.text
    assert verdict(broken, capsys)["digest"] == verdict(whole, capsys)["digest"]
    for root in (whole, broken):
        left = {int(path.parent.name) for path in root.glob("candidates/*/state.pt")}
        assert len(left) <= 12, "most weights of 24 candidates are still there"
        assert set(json.loads((root / "status.json").read_text())["front"]) <= left
