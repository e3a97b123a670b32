"""Learning curves from the command line: shown, and of runs whose configuration is older than their settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.run.artifacts import read_artifact
from evonas_cli.store.directory import RunDirectory

SEARCH = (
    *("search", "dataset=digits", "dataset.limit=200", "device=cpu", "evaluator=serial", "trainer.epochs=4", "--quiet"),
    *("space=hyperparameters", "space.channels=[2,4]", "space.hidden=8"),
)
RANDOM = (*SEARCH, "strategy=random")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A run whose configuration lacks the settings of learning curves."""
    root = tmp_path / "older"
    assert run([*RANDOM, "budget.evaluations=2", "--run-dir", str(root)]) == 0
    path = root / "config.yaml"
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if line.strip() not in ("validate_every: 1", "keep: last")]
    assert len(lines) - len(kept) == 2
    path.write_text("".join(kept))
    assert (
        not {"trainer.validate_every", "trainer.keep"} & json.loads((root / "run.json").read_text())["identity"].keys()
    )
    return root


def shown(root: Path, id: int, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["show", str(root), str(id), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["candidate"]
    return found


def test_an_older_run_goes_on_and_is_trained_again(older: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*RANDOM, "budget.evaluations=3", "--run-dir", str(older), "--resume", "must"]) == 0
    assert run(["verify", str(older), "--replay"]) == 0
    curves = shown(older, 2, capsys)["curves"]
    assert (
        curves["epoch"] == [1, 2, 3, 4]
        and curves["valid_error"][-1] == shown(older, 2, capsys)["metrics"]["valid_error"]
    )
    made = older.parent / "made"
    words = ["retrain", str(older), "2", "--seeds", "1", "trainer.keep=best"]
    assert run([*words, "trainer.schedule=constant", "--run-dir", str(made), "-q"]) == 0
    best = shown(made, 0, capsys)
    epoch = int(best["labels"]["best_epoch"])
    assert (
        best["metrics"]["valid_error"] == min(best["curves"]["valid_error"]) == best["curves"]["valid_error"][epoch - 1]
    )
    assert best["metrics"]["epochs"] == 4 and read_artifact(RunDirectory(made), 0).epochs == epoch


def test_show_prints_the_course_of_each_curve(older: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["show", str(older), "0"]) == 0
    drawn = [line for line in capsys.readouterr().out.splitlines() if line.endswith("epochs 1 to 4")]
    assert [line.split()[0] for line in drawn][:2] == ["train_loss", "valid_loss"] and " to " in drawn[0]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("trainer.keep=best", "trainer.validate_every=null"), "set trainer.validate_every=1"),
        (
            ("trainer.keep=best", "trainer.save_state=true", "strategy=halving", "strategy.continues=true"),
            "set trainer.keep=last",
        ),
        (("trainer.validate_every=0",), "trainer.validate_every is 0; it must be an integer of at least 1, or null"),
    ],
)
def test_settings_that_do_not_fit_are_refused_before_the_run(
    words: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run([*SEARCH, *words, "--run-dir", str(tmp_path / "run"), "--dry-run"]) == 2
    [told] = capsys.readouterr().err.splitlines()
    assert line in told
