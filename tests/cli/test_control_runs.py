"""Runs of job=control: searched, resumed, on a pool, verified, and refused before anything is evaluated."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run

SMALL = ("search", "experiment=cartpole", "strategy.population_size=8", "job.episodes=2", "job.steps=30", "--quiet")
OTHER = ("search", "job=control", "strategy=random", "evaluator=serial", "--quiet")
POLE = ("space.inputs=4", "space.outputs=2")
installed = pytest.mark.skipif(find_spec("gymnasium") is None, reason="needs gymnasium: pip install 'evonas[control]'")


def entries(root: Path) -> list[Any]:
    found = [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]
    return sorted([(entry["id"], entry["genome"], entry["metrics"]) for entry in found], key=lambda entry: entry[0])


@installed
def test_a_run_is_the_same_resumed_or_on_a_pool(tmp_path: Path) -> None:
    whole, parted, pooled = (tmp_path / name for name in ("whole", "parted", "pooled"))
    serial = (*SMALL, "evaluator=serial")
    assert run([*serial, "budget.evaluations=20", "--run-dir", str(whole)]) == 0
    assert run([*serial, "budget.evaluations=11", "--run-dir", str(parted)]) == 0
    assert run(["resume", str(parted), "budget.evaluations=20", "--quiet"]) == 0
    assert run([*SMALL, "evaluator.workers=2", "budget.evaluations=20", "--run-dir", str(pooled)]) == 0
    found = entries(whole)
    assert found == entries(parted) == entries(pooled) and len(found) == 20
    assert {name for _, _, metrics in found for name in metrics} == {"return", "solved", "links", "hidden", "cost"}
    assert all(metrics["cost"] == 2 * metrics["return"] and metrics["solved"] == 0 for _, _, metrics in found)
    assert run(["verify", str(whole), "--replay"]) == 0


@installed
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("job.environment=CartPol-v1",), "gymnasium has no such environment; did you mean CartPole-v1"),
        (("job.environment=Pendulum-v1", "--dry-run"), "job=control chooses one of several"),
        (("space.inputs=3", "space.outputs=2"), "space.inputs=3, but the task has 4 inputs; set space.inputs=4"),
        (("space.inputs=4",), "space.outputs=1, but the task has 2 outputs; set space.outputs=2"),
        (("space.inputs=3", "space.outputs=2", "--dry-run"), "set space.inputs=4; change the space's settings"),
        (("job.descriptor=size",), "job.descriptor must be end or seen or null; it is 'size'"),
        (("job.episodes=0",), "job.episodes is 0; it must be an integer of at least 1"),
        (("job.steps=0",), "job.steps is 0; it must be an integer of at least 1, or null"),
        (("job.threshold=.inf",), "job.threshold is '.inf'; it must be a number, or null"),
        (("device=cuda",), "job=control computes on the CPU, where environments are; device=cuda must be cpu"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    words: tuple[str, ...], message: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    assert message in refused(2, *OTHER, *words, "--run-dir", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@installed
def test_novelty_drives_neat_and_resumes_the_same(tmp_path: Path) -> None:
    words = ("strategy.pressure=novelty", "strategy.novelty_neighbours=3", "job.descriptor=end", "evaluator=serial")
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    assert run([*SMALL, *words, "budget.evaluations=24", "--run-dir", str(whole)]) == 0
    assert run([*SMALL, *words, "budget.evaluations=13", "--run-dir", str(parted)]) == 0
    assert run(["resume", str(parted), "budget.evaluations=24", "--quiet"]) == 0
    assert entries(whole) == entries(parted)
    last = json.loads((whole / "figures.jsonl").read_text().splitlines()[-1])
    assert last["coverage"] > 0 and last["mean_novelty"] > 0
    assert run(["verify", str(whole), "--replay"]) == 0


def test_a_space_without_graphs_is_refused(refused: Callable[..., str]) -> None:
    line = refused(2, "search", "job=control", "strategy=random", "space=nasnet", "--quiet")
    assert "job Control needs a space that is Neural, which NasNet is not; spaces that are: " in line


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_the_extra_is_named_where_it_is_missing(
    more: tuple[str, ...], refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    line = refused(2, *OTHER, *more)
    assert line == "evonas: job=control needs gymnasium, which is missing: pip install 'evonas[control]'"


@installed
def test_a_run_is_read_without_gymnasium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(tmp_path / "run")
    assert run([*OTHER, *POLE, "job.steps=20", "job.episodes=1", "budget.evaluations=3", "--run-dir", root]) == 0
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    assert run(["show", root]) == run(["verify", root]) == 0
