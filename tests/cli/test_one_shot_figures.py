"""scripts/one_shot_figures prints a line for each search, and goes on where it stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "one_shot_figures"


def test_a_line_for_each_search(tmp_path: Path) -> None:
    words = ("--strategies", "xnas", "darts", "--seeds", "3", "--outputs", str(tmp_path), "--")
    more = ("strategy.epochs=1", "strategy.audit=3", "strategy.derive=1", "trainer.epochs=1", "space.channels=2")
    call = [sys.executable, str(SCRIPT), *words, *more, "dataset.limit=100"]
    env = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])}
    done = subprocess.run(call, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert head.split()[:2] == ["strategy", "seed"] and [row.split()[:2] for row in rows] == [
        ["xnas", "3"],
        ["darts", "3"],
    ]
    for row in rows:
        _, _, score, parameters, derived, rank, count, median = row.split()
        assert -1 <= float(score) <= 1 and -1 <= float(parameters) <= 1
        assert 1 <= int(rank) <= int(count) <= 4 and 0 <= float(derived) <= 1 and 0 <= float(median) <= 1
    again = subprocess.run(call, capture_output=True, text=True, env=env)
    assert again.stdout == done.stdout
