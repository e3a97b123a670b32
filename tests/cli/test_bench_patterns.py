"""`evonas bench patterns`: baselines with a run's own training, and the line about them in compare and report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run

TWO = "space.names=[depthwise,transformer_small]"


@pytest.fixture(scope="module")
def patterns(saved_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patterns, two trainings each, like the search."""
    root = tmp_path_factory.mktemp("patterns") / "pat"
    words = ("--like", str(saved_run), TWO, "--seeds", "2", "--parameters", "2000")
    assert run(["bench", "patterns", *words, "-o", str(root), "--quiet"]) == 0
    return root


def test_each_pattern_is_trained_at_the_size(patterns: Path, capsys: Any) -> None:
    entries = [json.loads(line) for line in (patterns / "journal.jsonl").read_text().splitlines()]
    assert [entry["genome"] for entry in entries] == [["depthwise", 1.0]] * 2 + [["transformer_small", 1.0]] * 2
    assert all(abs(entry["metrics"]["parameters"] - 2000) <= 200 for entry in entries)
    assert not any(name.startswith("test_") for entry in entries for name in entry["metrics"])
    assert run(["resume", str(patterns), "--quiet"]) == 0
    head, *rows, path = capsys.readouterr().out.splitlines()
    assert head.split() == ["parameters", "seeds", "valid_error", "95", "%", "interval", "pattern"]
    assert {row.split()[-1] for row in rows} == {"depthwise", "transformer_small"} and path == str(patterns)
    assert run(["verify", str(patterns)]) == 0


def test_compare_and_report_set_the_best_pattern_beside_others(
    saved_run: Path, patterns: Path, tmp_path: Path, capsys: Any
) -> None:
    assert run(["compare", str(saved_run), str(patterns), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [group["label"] for group in document["groups"]] == ["random"]
    [one] = document["patterns"]
    means = [row["mean"] for row in one["rows"]]
    assert means == sorted(means)
    assert one["lines"][0].startswith(f"best human pattern (pat): {one['rows'][0]['name']} with ")
    assert "at parameters that are not comparable" in one["lines"][1]
    page = tmp_path / "report.html"
    assert run(["report", str(saved_run), str(patterns), "-o", str(page)]) == 0
    assert "<h3>Human patterns of pat</h3>" in page.read_text()


def test_patterns_of_another_training_are_left_out(
    saved_run: Path, patterns: Path, tmp_path: Path, capsys: Any
) -> None:
    words = ("--like", str(saved_run), TWO, "--seeds", "1", "--parameters", "2000", "trainer.learning_rate=0.03")
    assert run(["bench", "patterns", *words, "-o", str(tmp_path / "other"), "--quiet"]) == 0
    assert run(["compare", str(saved_run), str(tmp_path / "other")]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "are left out: they were trained otherwise (trainer.learning_rate: 0.03 and 0.1)" in text


def test_what_the_bench_decides_is_refused(refused: Callable[..., str]) -> None:
    assert "the bench decides this itself" in refused(2, "bench", "patterns", "space=mlp")
    assert "the bench decides this itself" in refused(2, "bench", "patterns", "strategy.repeats=2")
    assert "pass --parameters" in refused(2, "bench", "patterns", "space.parameters=5")
    assert "--seeds is 0" in refused(2, "bench", "patterns", "--seeds", "0")
    assert "space.names must be different ones of plain" in refused(2, "bench", "patterns", "space.names=[vgg]")
