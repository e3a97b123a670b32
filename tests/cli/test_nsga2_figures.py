"""The script that compares NSGA-II with an exact front, on a table whose front is known by its making."""

from __future__ import annotations

import itertools
import re
import runpy
import sys
from pathlib import Path

import pytest

from evonas_cli.spaces.nasbench201 import NasBench201

HEADER = "arch,c10_val12,c10_test200,c10_train_s200,c10_params_m,c10_flops_m,c10_latency_ms"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Only 3x3 convolutions help, and cost; average pools make a cell slower for nothing."""
    space, rows = NasBench201(), [HEADER]
    for cell in itertools.product(*[choice.options for choice in space.choices]):
        good, idle = cell.count("nor_conv_3x3"), cell.count("avg_pool_3x3")
        rows.append(f"{space.to_json(cell)},{50 + 5 * good},{50 + 5 * good},100,1,{1 + good},{1 + good + 0.3 * idle}")
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_shares_of_a_front_of_seven_points(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = str(Path(__file__).parents[2] / "scripts" / "nsga2_figures")
    monkeypatch.setattr(sys, "argv", [script, str(table), "--seeds", "4", "--evaluations", "60", "300"])
    runpy.run_path(script, run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("exact front: 7 points")
    rows = [re.fullmatch(r"(\w+) +(\d+) +([\d.]+) \+- [\d.]+ +([\d.]+) \+- [\d.]+", line) for line in lines[2:6]]
    found = {(row[1], int(row[2])): (float(row[3]), float(row[4])) for row in rows if row}
    assert set(found) == {(name, count) for name in ("random", "nsga2") for count in (60, 300)}
    assert all(0 < volume <= 100 and 0 <= share <= 100 for volume, share in found.values())
    assert found["nsga2", 300] > found["random", 300] and found["nsga2", 300] > found["nsga2", 60]
    assert found["nsga2", 300][1] > 80
    assert lines[6].startswith(("better", "not better"))
