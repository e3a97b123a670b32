"""`kill -9` while networks train: the resumed run continues their checkpoints and ends as if never stopped."""

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

HALVING = (
    *("strategy=halving", "strategy.continues=true", "strategy.candidates=4", "strategy.least_fidelity=0.25"),
    *("trainer.save_state=true", "trainer.checkpoint_seconds=0", "budget.evaluations=7", "device=cpu", "--quiet"),
)
SEARCHES = {
    "language": (
        *("space=rnn_cell", "job=language", "job.hidden=8", "job.dropout=0.2", "dataset.n_train=100"),
        "trainer.epochs=4",
    ),
    "diffusion": (
        *("job=diffusion", "job.samples=20", "dataset.n_train=1000", "dataset.n_valid=50", "space.widths=[16]"),
        *("space.steps=[5,10]", "trainer.epochs=8"),
    ),
    "captions": (
        *("job=captions", "dataset.n_train=160", "dataset.n_valid=20", "job.scores=[bleu1,token_accuracy]"),
        *("space.channels=[4]", "space.widths=[16]", "job.channels=[2,4]", "job.hidden=16", "trainer.epochs=4"),
    ),
}
SERIAL = ("evaluator=serial",)
KILLED_ON = {"language": ("evaluator.workers=2",), "diffusion": SERIAL, "captions": SERIAL}
"""The evaluator of the search that is killed; the others have one process."""


def verdict(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    code = run(["verify", str(root), "--json", *words])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == 0, found
    return found


def killed_at_a_checkpoint(words: list[str], root: Path) -> None:
    """Ends with a checkpoint on disk, written after two candidates at least."""
    command = [sys.executable, "-m", "evonas_cli", *words, "--run-dir", str(root)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
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


@pytest.mark.parametrize("name", SEARCHES)
def test_killed_trainings_go_on_from_their_checkpoints(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search = ["search", *SEARCHES[name], *HALVING]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run([*search, *SERIAL, "--run-dir", str(whole)]) == 0
    expected = verdict(whole, capsys, "--replay")
    killed_at_a_checkpoint([*search, *KILLED_ON[name]], broken)
    assert run(["resume", str(broken), *SERIAL, "--quiet"]) == 0
    assert verdict(broken, capsys)["digest"] == expected["digest"]
    assert payloads(broken) == payloads(whole)
    assert not list(broken.glob("candidates/*/checkpoint.pt"))


def payloads(root: Path) -> dict[int, Any]:
    """What each candidate's result carries beside metrics, such as the samples of a denoiser."""
    entries = [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]
    return {entry["id"]: entry.get("payload") for entry in entries}
