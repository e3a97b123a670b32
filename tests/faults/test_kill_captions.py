"""`kill -9` while networks learn to describe images: the resumed run ends as if never stopped."""

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
    *("search", "job=captions", "dataset.n_train=320", "dataset.n_valid=40", "job.scores=[bleu1,token_accuracy]"),
    *("space.channels=[4]", "space.widths=[16]", "strategy=halving", "strategy.continues=true"),
    *("strategy.candidates=4", "strategy.least_fidelity=0.25", "trainer.epochs=8", "trainer.save_state=true"),
    *("trainer.checkpoint_seconds=0", "budget.evaluations=7", "device=cpu", "evaluator=serial", "--quiet"),
)


def verdict(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    code = run(["verify", str(root), "--json", *words])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == 0, found
    return found


def killed_at_a_checkpoint(root: Path) -> None:
    """Ends with a checkpoint on disk, written after two candidates at least."""
    words = [sys.executable, "-m", "evonas_cli", *SEARCH, "--run-dir", str(root)]
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


def test_killed_trainings_go_on_from_their_checkpoints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run([*SEARCH, "--run-dir", str(whole)]) == 0
    expected = verdict(whole, capsys, "--replay")
    killed_at_a_checkpoint(broken)
    assert run(["resume", str(broken), "--quiet"]) == 0
    assert verdict(broken, capsys)["digest"] == expected["digest"]
    assert payloads(broken) == payloads(whole)
    assert not list(broken.glob("candidates/*/checkpoint.pt"))


def payloads(root: Path) -> dict[int, Any]:
    """The captions of each candidate, and the baseline's."""
    entries = [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]
    return {entry["id"]: entry["payload"] for entry in entries}
