"""Runs of older versions whose settings a part no longer takes: shown, and not resumed with a word that says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from evonas_cli.cli.app import run
from evonas_cli.run.identity import identity

SEARCH = (
    *("search", "space=rnn_cell", "job=language", "job.hidden=4", "dataset.n_train=20", "trainer.batch_size=20"),
    *("trainer.epochs=1", "strategy=random", "budget.evaluations=1", "evaluator=serial", "device=cpu", "--quiet"),
)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A run of language models that has its settings of training where they were once: in the job."""
    root = tmp_path / "outputs" / "older"
    assert run([*SEARCH, "--run-dir", str(root)]) == 0
    config = OmegaConf.to_container(OmegaConf.load(root / "config.yaml"))
    config["job"] |= {"steps": 200, "batch_size": 32, "learning_rate": 0.005, "clip_norm": 1.0}
    config["trainer"] |= {"optimizer": "sgd", "learning_rate": 0.1}
    OmegaConf.save(OmegaConf.create(config), root / "config.yaml")
    metadata = json.loads((root / "run.json").read_text())
    metadata["identity"] = identity(config)
    metadata["environment"]["task"] = {"tokens": 6}
    (root / "run.json").write_text(json.dumps(metadata))
    return root


def test_an_older_language_run_is_listed_and_shown(older: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for words in (
        ("list", "--outputs", str(older.parent)),
        ("show", str(older)),
        ("show", str(older), "0"),
    ):
        assert run(list(words)) == 0
        captured = capsys.readouterr()
        assert captured.out and not captured.err
    assert run(["pareto", str(older)]) == 0
    assert "valid_perplexity" in capsys.readouterr().out


@pytest.mark.parametrize("words", [("resume",), ("verify",), ("verify", "--replay"), ("verify", "--repair")])
def test_an_older_language_run_is_not_resumed(
    words: tuple[str, ...], older: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in older.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert run([words[0], str(older), *words[1:]]) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert (
        "was made with job.steps, job.batch_size, job.learning_rate, job.clip_norm, which job no longer takes" in line
    )
    assert "resumed or verified with an evonas 0.1.0 from before that" in line
    assert {path: path.read_bytes() for path in older.rglob("*") if path.is_file()} == before
