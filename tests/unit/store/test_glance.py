"""What a run shows at a glance agrees with its journal, and nothing odd in its files stops the look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evonas_cli.cli.app import run
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.glance import glance

TOY = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=5", "--quiet")


@pytest.fixture
def made(tmp_path: Path) -> RunDirectory:
    assert run([*TOY, "--run-dir", str(tmp_path / "run")]) == 0
    return RunDirectory(tmp_path / "run")


def test_a_finished_run(made: RunDirectory) -> None:
    seen = glance(made)
    values = [json.loads(line)["metrics"]["valid_error"] for line in made.journal.read_text().splitlines()]
    assert (seen.state, seen.evaluations, seen.told_of) == ("done", 5, 5)
    assert seen.best == ("valid_error", min(values)) and seen.seconds == made.elapsed()
    assert seen.budget == {"evaluations": 5, "seconds": None, "cost": None} and seen.in_flight == ()
    assert seen.choices["space"] == "bits" and "dataset" not in seen.choices, "a landscape reads no data"
    assert seen.document()["reason"] == "budget.evaluations=5 is used up"


def test_a_run_of_an_older_evonas_has_its_best_from_the_table(made: RunDirectory) -> None:
    path = made.root / "status.json"
    status = json.loads(path.read_text())
    expected = status["best"]["value"]
    path.write_text(json.dumps({k: v for k, v in status.items() if k not in ("best", "budget", "in_flight")}))
    assert glance(made).best == ("valid_error", pytest.approx(expected)) and glance(made).budget == {}
    (made.root / "pareto.csv").write_text("id,x\n0,nan\n")
    assert glance(made).best is None


@pytest.mark.parametrize(
    ("name", "value"), [("best", {"metric": 3, "value": 1}), ("budget", {"evaluations": "x"}), ("in_flight", [3])]
)
def test_members_that_evonas_does_not_write_are_damage(made: RunDirectory, name: str, value: object) -> None:
    path = made.root / "status.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    assert glance(made).state == "damaged"
