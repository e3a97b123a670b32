"""A candidate's trained network from its file: it predicts what the run has measured, and damage is one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from evonas_cli.cli.app import run
from evonas_cli.config.build import build
from evonas_cli.core.errors import RunError
from evonas_cli.core.evaluating import WEIGHTS
from evonas_cli.run.artifacts import load_network, read_artifact
from evonas_cli.run.stored import stored_config
from evonas_cli.store.directory import RunDirectory

SEARCH = (
    *("search", "--quiet", "dataset=digits", "dataset.limit=200", "device=cpu", "trainer.save_state=true"),
    *("space=hyperparameters", "space.channels=[2,2]", "space.hidden=4", "trainer.epochs=1", "evaluator=serial"),
    *("strategy=random", "strategy.batch=3", "budget.evaluations=3", "trainer.max_parameters=1000"),
    "trainer.precision=fp32",  # a file predicts in it
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("trained") / "run"
    assert run([*SEARCH, "--run-dir", str(root)]) == 0
    return root


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> RunDirectory:
    shutil.copytree(trained, tmp_path / "run")
    return RunDirectory(tmp_path / "run")


def entries(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]


def test_a_loaded_network_has_the_error_that_the_run_measured(trained: Path) -> None:
    directory = RunDirectory(trained)
    config = stored_config(directory)
    splits = build(config["dataset"], "dataset").prepare(config["seed"])
    for entry in entries(trained):
        artifact = read_artifact(directory, entry["id"])
        network = load_network(directory, entry["id"])
        mean, std = (
            torch.tensor(values)[:, None, None] for values in (artifact.signature.mean, artifact.signature.std)
        )
        inputs = (torch.tensor(splits.x_valid).float() - mean) / std
        with torch.no_grad():
            wrong = network(inputs).argmax(1) != torch.tensor(splits.y_valid)
        assert wrong.float().mean().item() == pytest.approx(entry["metrics"]["valid_error"])
        assert not network.training
        assert (artifact.epochs, artifact.plan.parameters) == (1, entry["metrics"]["parameters"])
        assert artifact.signature.task.outputs == 10


def test_a_candidate_without_weights_says_which_command_makes_them(copied: RunDirectory) -> None:
    (copied.root / "candidates" / "1" / WEIGHTS).unlink()
    with pytest.raises(RunError, match=rf"no weights of candidate 1; `evonas retrain {copied.root} 1` trains it"):
        load_network(copied, 1)


def test_an_unknown_candidate_is_named(copied: RunDirectory) -> None:
    with pytest.raises(RunError, match="has no candidate 9; it has 3, from id 0 on"):
        load_network(copied, 9)


def test_weights_of_another_candidate_are_refused(copied: RunDirectory) -> None:
    folder = copied.root / "candidates"
    shutil.copy(folder / "0" / WEIGHTS, folder / "1" / WEIGHTS)
    with pytest.raises(RunError, match="is that of candidate 0"):
        load_network(copied, 1)


def test_damaged_weights_are_one_line(copied: RunDirectory) -> None:
    path = copied.root / "candidates" / "1" / WEIGHTS
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RunError, match=r"state.pt is damaged: .*`evonas retrain") as caught:
        load_network(copied, 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("member", "text", "message"),
    [
        ("plan", None, "does not say which network"),
        ("plan", "{", "state.pt is damaged: "),
        ("plan", '{"input": [1, 8, 8], "nodes": []}', "its weights are not those of its plan"),
        ("signature", "{}", "state.pt is damaged: "),
    ],
)
def test_weights_without_a_network_are_refused(
    copied: RunDirectory, member: str, text: str | None, message: str
) -> None:
    path = copied.root / "candidates" / "1" / WEIGHTS
    state = torch.load(path, weights_only=True)
    del state[member]
    torch.save(state if text is None else {**state, member: text}, path)
    with pytest.raises(RunError, match=message):
        load_network(copied, 1)


def test_failed_candidates_have_no_weights(tmp_path: Path) -> None:
    words = [word for word in SEARCH if not word.startswith("trainer.max_parameters")]
    assert run([*words, "trainer.max_parameters=10", "--run-dir", str(tmp_path / "run")]) == 1
    with pytest.raises(RunError, match=r"candidate 0 of .* failed \(over_cap: .*\), so it has no weights"):
        load_network(RunDirectory(tmp_path / "run"), 0)
