"""Kept weights that are deleted, damaged or exchanged are made again: the run ends as if nothing had happened."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.store.journal import line
from evonas_cli.store.recorder import Recorder

SEARCH = (
    *("search", "--quiet", "dataset=digits", "dataset.limit=200", "device=cpu", "trainer.save_state=true"),
    "trainer.checkpoint_seconds=0",
)
HYPERPARAMETERS = ("space=hyperparameters", "space.channels=[2,2]", "space.hidden=4")
HALVING = (
    *HYPERPARAMETERS,
    *("strategy=halving", "strategy.continues=true", "strategy.candidates=4", "strategy.least_fidelity=0.25"),
    *("trainer.epochs=4", "budget.evaluations=7"),
)
GENETIC = (
    *HYPERPARAMETERS,
    *("strategy=genetic", "strategy.population_size=3", "strategy.archive=false", "strategy.inherit=weights"),
    *("trainer.epochs=1", "budget.evaluations=6"),
)

MORPHING = ("space=layered_cnn", "space.blocks=1", "space.start_blocks=1", "space.start_filters=4", "space.filters=[4]")
CLIMBING = (*MORPHING, "strategy=hill_climbing", "strategy.children=2", "trainer.epochs=1", "budget.evaluations=7")
LEMONADE = (
    *(*MORPHING, "strategy=lemonade", "strategy.initial=2", "strategy.proposed=4", "strategy.trained=2"),
    *("strategy.distil=5", "trainer.epochs=1", "budget.evaluations=7"),
)


def states(root: Path) -> list[Path]:
    return sorted(root.glob("candidates/*/state.pt"))


def delete(root: Path) -> None:
    for path in states(root):
        path.unlink()


def shorten(root: Path) -> None:
    for path in states(root):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def exchange(root: Path) -> None:
    """Each candidate has the next one's, of the same shapes."""
    found = states(root)
    contents = [path.read_bytes() for path in found]
    for path, content in zip(found, contents[1:] + contents[:1], strict=True):
        path.write_bytes(content)


def verdict(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    run(["verify", str(root), "--json", *words])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of halving that nothing has happened to."""
    root = tmp_path_factory.mktemp("whole") / "run"
    assert run([*SEARCH, *HALVING, "evaluator=serial", "--run-dir", str(root)]) == 0
    return root


def interrupted(whole: Path, root: Path, kept: int = 6) -> Path:
    """The run as it was when `kept` candidates were recorded."""
    shutil.copytree(whole, root)
    lines = (root / "journal.jsonl").read_text().splitlines(keepends=True)
    (root / "journal.jsonl").write_text("".join(line for line in lines if json.loads(line)["id"] < kept))
    for folder in ("snapshots", "populations", "fronts"):
        shutil.rmtree(root / folder, ignore_errors=True)
    for folder in (root / "candidates").iterdir():
        if int(folder.name) >= kept:
            shutil.rmtree(folder)
    return root


@pytest.mark.parametrize("damage", [delete, shorten, exchange])
def test_a_resumed_run_makes_lost_weights_again(
    whole: Path,
    damage: Callable[[Path], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    root = interrupted(whole, tmp_path / "run")
    damage(root)
    with caplog.at_level(logging.WARNING):
        assert run(["resume", str(root), "--quiet"]) == 0
    again = [record.getMessage() for record in caplog.records if "its weights are lost" in record.getMessage()]
    assert len(again) == 2 and all(text.startswith("training candidate ") for text in again), (
        "the chain of the last one"
    )
    found = verdict(root, capsys)
    assert found["ok"] and found["complete"] and found["evaluations"] == 7
    assert found["digest"] == verdict(whole, capsys)["digest"]


def test_weights_that_come_out_otherwise_are_told(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """As they do on another machine, which a journal with other checksums stands for."""
    root = interrupted(whole, tmp_path / "run")
    entries = [json.loads(text) for text in (root / "journal.jsonl").read_text().splitlines()]
    for entry in entries:
        del entry["crc"]
        entry["labels"]["state"] = f"{entry['id']:064x}"
    (root / "journal.jsonl").write_bytes(b"".join(line(entry) for entry in entries))
    with caplog.at_level(logging.WARNING):
        assert run(["resume", str(root), "--quiet"]) == 0
    text = "trained again, has other weights than the run recorded"
    assert len([record for record in caplog.records if text in record.getMessage()]) == 2
    assert verdict(root, capsys)["digest"] == verdict(whole, capsys)["digest"]
    assert run(["verify", str(root), "--replay"]) == 1
    assert "candidate 0: the trained weights are others than recorded" in capsys.readouterr().err


def test_workers_make_lost_weights_again(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = interrupted(whole, tmp_path / "run", kept=4)
    delete(root)
    assert run(["resume", str(root), "evaluator=pool", "evaluator.workers=1", "--quiet"]) == 0
    assert verdict(root, capsys)["digest"] == verdict(whole, capsys)["digest"]


@pytest.mark.parametrize("strategy", [HALVING, GENETIC, CLIMBING, LEMONADE])
def test_weights_that_vanish_during_a_run_change_nothing(
    strategy: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    roots = [tmp_path / "run", tmp_path / "vanishing"]
    words = [*SEARCH, *strategy, "evaluator=serial", "--run-dir"]
    assert run([*words, str(roots[0])]) == 0
    told, gone = Recorder.told, []

    def vanish(recorder: Recorder, fold: Any) -> None:
        told(recorder, fold)
        gone.extend(states(recorder.run.root))
        delete(recorder.run.root)

    monkeypatch.setattr(Recorder, "told", vanish)
    assert run([*words, str(roots[1])]) == 0
    assert len(gone) > 4
    verdicts = [verdict(root, capsys, "--replay") for root in roots]
    assert all(found["ok"] and found["complete"] for found in verdicts)
    assert verdicts[0]["digest"] == verdicts[1]["digest"]
