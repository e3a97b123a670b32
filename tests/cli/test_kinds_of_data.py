"""Searches on data of every kind: objectives, what a run records, what is refused before the first training."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas_cli.cli.app import run

SPACE = """
from evonas_cli.genomes.choices import Choice, parse, sample
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype


class Flat:
    def __init__(self, widths: list[int]):
        self.choices = [Choice("width", tuple(widths))]

    def sample(self, rng):
        return sample(self.choices, rng)

    def to_json(self, genome):
        return list(genome)

    def from_json(self, data):
        return parse(self.choices, data)

    def decode(self, genome, task):
        graph = Graph(task.inputs)
        x = graph.input if len(task.inputs) == 1 else graph.add("flatten", graph.input)
        x = graph.add("relu", graph.add("linear", x, features=genome[0]))
        return Phenotype(graph.plan(graph.add("linear", x, features=task.outputs)))
"""
WORDS = (
    *("search", "--config-dir", "own", "--allow-module", "flat_space", "space=flat", "dataset=npz"),
    *("dataset.path=data.npz", "strategy=random", "evaluator=serial", "device=cpu", "trainer.epochs=1"),
    *("trainer.batch_size=16", "budget.evaluations=2", "--run-dir", "run"),
)
X = np.random.default_rng(0).normal(size=(80, 6))
TARGETS: dict[str, Any] = {
    "classes": np.where(X[:, 0] > 0, "yes", "no"),
    "labels": (X[:, :3] > 0).astype(int),
    "numbers": X[:, :2] * 9,
    "three": np.arange(80) % 3,
}


@pytest.fixture
def flat(refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`refused`, with a space of fully connected networks for any inputs."""
    (tmp_path / "own/space").mkdir(parents=True)
    (tmp_path / "own/space/flat.yaml").write_text("_target_: flat_space.Flat\nwidths: [4, 8]\n")
    (tmp_path / "flat_space.py").write_text(SPACE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return refused


def save(kind: str, x: Any = X) -> None:
    np.savez("data.npz", x_train=x, y_train=TARGETS[kind])


@pytest.mark.parametrize(
    ("kind", "objective"), [("classes", "valid_error"), ("labels", "valid_auroc"), ("numbers", "valid_loss")]
)
def test_a_search_optimises_what_its_kind_of_targets_has(
    flat: Callable[..., str], caplog: pytest.LogCaptureFixture, kind: str, objective: str
) -> None:
    save(kind)
    assert run([*WORDS]) == 0
    assert any(line.startswith("data.npz: vectors 6, ") for line in caplog.messages)
    written = Path("run/config.yaml").read_text()
    assert f"kind: {kind}" in written and "auto" not in written.partition("dataset:")[2].partition("limit:")[0]
    assert f"objectives:\n- {objective}\n- parameters" in written
    identity = json.loads(Path("run/run.json").read_text())["identity"]
    assert identity["objectives"] == [objective, "parameters"] and identity["dataset.valid_fraction"] == 0.1
    Path("data.npz").unlink()
    trust = ("--allow-module", "flat_space")
    assert run(["show", "run", *trust]) == 0
    assert run(["pareto", "run", *trust]) == 0
    assert run(["list", "--outputs", "."]) == 0


def test_a_run_goes_on_by_the_values_that_auto_stood_for(
    flat: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    save("numbers")
    assert run([*WORDS]) == 0
    assert run([*WORDS, "--resume", "auto", "dataset.limit=null"]) == 0
    explicit = (
        "dataset.kind=numbers",
        "dataset.layout=vector",
        "dataset.valid_fraction=0.1",
        "dataset.test_fraction=0.2",
    )
    assert run([*WORDS, "--resume", "auto", *explicit, "objectives=[valid_loss,parameters]"]) == 0
    other = ("dataset.kind=classes", *explicit[1:], "objectives=[parameters]")
    capsys.readouterr()
    assert "dataset.kind: run has numbers, now classes" in flat(3, *WORDS, "--resume", "auto", *other)


@pytest.mark.parametrize(
    ("kind", "more", "text"),
    [
        ("three", ("objectives=[valid_auroc]",), "the job measures no valid_auroc on this data"),
        ("three", ("objectives=[valid_r2]",), "the job measures no valid_r2"),
        ("labels", ("objectives=[valid_error]",), "the job measures no valid_error"),
        ("labels", ("trainer.class_weights=balanced",), "weighs classes, but the data has labels"),
        ("numbers", ("trainer.class_weights=balanced",), "weighs classes, but the data has numbers"),
        ("numbers", ("trainer.label_smoothing=0.1",), "but the data has numbers; set trainer.label_smoothing=0"),
        ("classes", ("dataset.flip=true",), "dataset.flip=true changes images, but data.npz has vectors"),
        ("classes", ("dataset.mixup=0.2",), "dataset.mixup=0.2 changes images"),
        ("classes", ("dataset.kind=number",), "dataset.kind is 'number'; it must be one of"),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_what_the_data_does_not_have_is_refused_before_the_first_training(
    flat: Callable[..., str], kind: str, more: tuple[str, ...], text: str, dry: tuple[str, ...]
) -> None:
    save(kind)
    assert text in flat(2, *WORDS, *more, *dry)
    assert not Path("run").exists()


def test_config_shows_the_values_that_auto_stands_for(
    flat: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    save("labels")
    assert run(["config", *(word for word in WORDS[1:-2])]) == 0
    shown = capsys.readouterr().out
    assert "kind: labels" in shown and "layout: vector" in shown and "objectives:\n- valid_auroc" in shown


def test_two_classes_have_an_area_under_the_curve(flat: Callable[..., str]) -> None:
    save("classes")
    assert run([*WORDS, "objectives=[valid_auroc]"]) == 0


def test_ten_classes_known_unread_have_none(flat: Callable[..., str]) -> None:
    assert "no valid_auroc" in flat(2, "search", "dataset=digits", "objectives=[valid_auroc]", "--dry-run")


def test_balanced_weights_find_the_rare_class(flat: Callable[..., str], caplog: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(1)
    rare = np.arange(600) % 20 == 0
    x = rng.normal(size=(600, 6)) + rare[:, None] * 0.9
    np.savez("data.npz", x_train=x, y_train=np.where(rare, "ill", "well"))
    found = {}
    for weights in ("none", "balanced"):
        more = (f"trainer.class_weights={weights}", "objectives=[valid_balanced_error]", "trainer.epochs=8")
        assert run([*(word for word in WORDS if word not in ("trainer.epochs=1",)), *more]) == 0
        [line] = [line for line in caplog.messages if "unbalanced" in line]
        caplog.clear()
        assert "always answering well has valid_error 0.0" in line
        entries = [json.loads(line) for line in Path("run/journal.jsonl").read_text().splitlines()[:2]]
        found[weights] = min(entry["metrics"]["valid_balanced_error"] for entry in entries)
        shutil.rmtree("run")
    assert found["balanced"] < found["none"]
