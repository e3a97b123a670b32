"""How searches end: in exhausted spaces, within a tell, before anything counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.strategies.genetic import Genetic

TOY = ("search", "job=landscape", "strategy=genetic", "--quiet", "--run-dir", "run")


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("seed", [0, 1, 4])
@pytest.mark.parametrize(
    "words",
    [
        ("space=bits", "space.length=6", "budget.evaluations=200"),
        ("space=chain_landscape", "space.length=4", "budget.evaluations=171"),
    ],
    ids=["exhausted", "cut"],
)
def test_the_last_population_is_that_of_the_last_tell(words: tuple[str, ...], seed: int) -> None:
    """Not what a later ask, which found nothing new, has made of it."""
    assert run([*TOY, *words, f"seed={seed}"]) == 0
    assert run(["verify", "run"]) == 0


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_stop_within_a_tell_leaves_nothing_wrong(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tell, told = Genetic.tell, []

    def stopped(self: Any, *arguments: Any) -> Any:
        told.append(self)
        if len(told) == step:
            raise KeyboardInterrupt
        return tell(self, *arguments)

    monkeypatch.setattr(Genetic, "tell", stopped)
    often = ("snapshot.every=1", "snapshot.growth=1.0", "strategy.archive=false")
    assert run([*TOY, *often, "space=bits", "budget.evaluations=100"]) == 130
    assert run(["verify", "run"]) == 0
    assert run(["resume", "run", "--quiet"]) == 0
    assert run(["verify", "run"]) == 0


def test_a_budget_below_the_first_cost_is_no_failure_of_candidates(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("dataset.limit=100", "trainer.epochs=1", "space.channels=2", "evaluator=serial", "strategy=random")
    assert run(["search", *words, "budget.evaluations=null", "budget.cost=1e-9", "--run-dir", "run", "--quiet"]) == 1
    assert "budget.cost=1e-09 is less than what the first candidate costs" in capsys.readouterr().err
    assert json.loads(Path("run/status.json").read_text())["state"] == "done"


def test_choices_come_before_keys_in_whatever_order() -> None:
    words = ("search", "job=landscape", "space=bits", "strategy=random", "budget.evaluations=4", "--quiet")
    assert run([*words, "--run-dir", "run"]) == 0
    assert run(["resume", "run", "evaluator.workers=1", "evaluator=pool", "budget.evaluations=6", "--quiet"]) == 0
    assert "workers: 1" in Path("run/config.yaml").read_text()


def test_rungs_that_would_train_nothing(refused: Callable[..., str]) -> None:
    halving = ("strategy=halving", "strategy.continues=true", "strategy.candidates=4", "strategy.least_fidelity=0.25")
    text = refused(2, "search", *halving, "trainer.epochs=2", "trainer.save_state=true")
    assert "of 2 epochs the rungs of this strategy, which continue each other, have 1, 1, 2" in text
    assert run(["search", *halving, "trainer.epochs=4", "trainer.save_state=true", "--dry-run"]) == 0
