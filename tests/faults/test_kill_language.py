"""`kill -9` while language models train: the resumed run continues their checkpoints and ends as if never stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run

SEARCH = (
    *("search", "space=rnn_cell", "job=language", "job.hidden=8", "job.dropout=0.2", "dataset.n_train=100"),
    *("strategy=halving", "strategy.continues=true", "strategy.candidates=4", "strategy.least_fidelity=0.25"),
    *("trainer.epochs=4", "trainer.save_state=true", "trainer.checkpoint_seconds=0", "budget.evaluations=7"),
    *("device=cpu", "--quiet"),
)


def verdict(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    code = run(["verify", str(root), "--json", *words])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == 0, found
    return found


def killed_at_a_checkpoint(root: Path) -> None:
    """Ends with a checkpoint on disk, written after two candidates at least."""
    words = [sys.executable, "-m", "evonas_cli", *SEARCH, "evaluator.workers=2", "--run-dir", str(root)]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    journal = root / "journal.jsonl"
    try:
        while process.poll() is None:
            recorded = journal.read_bytes().count(b"\n") if journal.exists() else 0
            if recorded >= 2 and list(root.glob("candidates/*/checkpoint.pt")):
                return
            time.sleep(0.002)
        raise AssertionError("the search was over before it could be killed")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_killed_language_models_go_on_from_their_checkpoints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run([*SEARCH, "evaluator=serial", "--run-dir", str(whole)]) == 0
    expected = verdict(whole, capsys, "--replay")
    killed_at_a_checkpoint(broken)
    assert run(["resume", str(broken), "--quiet"]) == 0
    assert verdict(broken, capsys)["digest"] == expected["digest"]
    assert not list(broken.glob("candidates/*/checkpoint.pt"))
