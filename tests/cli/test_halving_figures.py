"""The script that shows what successive halving saves, on the real table."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest


@pytest.mark.data
def test_halving_finds_the_best_cells_for_a_fifth_of_the_epochs(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = str(Path(__file__).parents[2] / "scripts" / "halving_figures")
    monkeypatch.setattr(sys, "argv", [script, str(data_dir / "nasbench201.csv.gz"), "--seeds", "20"])
    runpy.run_path(script, run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    found = [re.search(r"(\d+\.\d+) \+- [\d.]+ +([\d,]+) ", line) for line in lines[1:4]]
    accuracy = [float(match[1]) for match in found if match]
    epochs = [int(match[2].replace(",", "")) for match in found if match]
    assert epochs == [64 * 12 + 8 * 200, 64 * 200, 12 * 200]
    assert abs(accuracy[0] - accuracy[1]) < 0.1 < accuracy[0] - accuracy[2]
