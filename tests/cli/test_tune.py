"""`evonas tune` and `evonas search --tune`: what is measured becomes settings of the run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evonas_cli.cli.tune import choose

SMALL = ("space=hyperparameters", "space.channels=[2,2]", "space.hidden=4", "trainer.nesterov=false")
SHORT = ("dataset.limit=200", "trainer.epochs=1", "evaluator=serial", "device=cpu")


def evonas(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "evonas_cli", *words], capture_output=True, text=True)


def test_every_way_is_tried_and_the_fastest_is_named() -> None:
    done = evonas("tune", *SMALL, *SHORT, "--seconds", "0.05", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    rates = [way["samples_per_second"] for way in document["ways"]]
    assert rates == sorted(rates, reverse=True)
    tried = {tuple(way["overrides"][:1] + way["overrides"][2:]) for way in document["ways"]}
    assert len(tried) == 2 * 4
    assert document["overrides"] in [way["overrides"] for way in document["ways"]]


def test_a_tuned_run_keeps_what_was_chosen_and_what_was_given(tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ("search", *SMALL, *SHORT, "strategy=random", "budget.evaluations=2", "trainer.layout=contiguous")
    done = evonas(*words, "--tune", "--run-dir", str(run))
    assert done.returncode == 0, done.stderr
    assert "tuned to trainer.precision=" in done.stderr and "trainer.layout" not in done.stderr
    text = (run / "config.yaml").read_text()
    assert "layout: contiguous" in text and "stack: null" not in text and "precision: auto" not in text
    again = evonas(*words, "--tune", "--run-dir", str(run), "--resume", "auto")
    assert again.returncode == 0 and "tuned to" not in again.stderr, again.stderr


def test_a_dry_run_measures_nothing() -> None:
    done = evonas("search", *SMALL, *SHORT, "strategy=random", "--tune", "--dry-run")
    assert done.returncode == 0 and "tuned to" not in done.stderr


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("job=landscape", "space=bits"), "Landscape has no settings of speed to choose"),
        (("--seconds", "0"), "--seconds is 0.0; it must be above 0"),
    ],
)
def test_what_cannot_be_tuned(words: tuple[str, ...], line: str) -> None:
    done = evonas("tune", *words)
    assert done.returncode == 2
    assert line in done.stderr and done.stderr.count("\n") == 1


def way(precision: str, rate: float, trusted: bool = True) -> dict[str, object]:
    return {"overrides": [f"trainer.precision={precision}"], "samples_per_second": rate, "trusted": trusted}


def test_another_precision_must_be_clearly_faster_and_trusted() -> None:
    assert choose([way("bf16", 120), way("fp32", 100)]) == ["trainer.precision=bf16"]
    assert choose([way("bf16", 104), way("fp32", 100)]) == ["trainer.precision=fp32"]
    assert choose([way("bf16", 300, False), way("fp32", 100)]) == ["trainer.precision=fp32"]
    assert choose([way("bf16", 300)]) == ["trainer.precision=bf16"]
