"""`scripts/bench_loop` compares what is installed and says what is not."""

from __future__ import annotations

import importlib.util
import itertools
import json
import runpy
import sys
from pathlib import Path

import pytest

from evonas_cli.spaces.nasbench201 import EDGES, OPERATIONS, NasBench201

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench_loop"
HIDDEN = {"optuna": ["Optuna, in memory", "Optuna, SQLite"], "pymoo": ["pymoo, GA"]}


def table(path: Path) -> Path:
    """A made-up benchmark of all cells: the fewer operations are missing, the better."""
    lines = ["arch,c10_val12,c10_test200,c10_train_s200,c10_params_m,c10_flops_m"]
    for cell in itertools.product(OPERATIONS, repeat=len(EDGES)):
        live = sum(operation != "none" for operation in cell)
        lines.append(f"{NasBench201().to_json(cell)},{10 * live},{10 * live},{100 + live},1,{live}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_rows_ratios_and_what_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name in HIDDEN else real(name, *more))
    words = [str(table(tmp_path / "table.csv")), "--evaluations", "200", "--rounds", "1"]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *words, "--json"])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    found = json.loads(capsys.readouterr().out)
    ours, missing = "evonas, journal", [name for names in HIDDEN.values() for name in names]
    deap = "DEAP, eaSimple"
    assert [*found["absolute"], *found["left_out"]].count(deap) == 1
    assert [name for name in found["left_out"] if name != deap] == missing
    assert list(found["absolute"])[:2] == ["evonas, in memory", ours]
    rates = {name: row["per_second"] for name, row in found["absolute"].items()}
    assert {f"{ours} / {name}" for name in rates if name != ours} == set(found["ratios"])
    for name, rate in rates.items():
        if name != ours:
            assert found["ratios"][f"{ours} / {name}"]["wall"] == pytest.approx(rates[ours] / rate)

    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *words])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert "pymoo, GA: not installed, left out; pip install 'evonas[bench]'" in capsys.readouterr().out
