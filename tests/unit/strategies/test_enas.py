"""ENAS: epochs and steps of the controller in turn, what the controller learns, the authors' baseline, a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation
from evonas_cli.genomes.supernet import Scoring, Training, parse
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.strategies.enas import Enas, moved

SPACE = NasBench201(channels=2, cells_per_stage=1, nodes=3)
SMALL: dict[str, Any] = {
    "epochs": 3,
    "controller_steps": 2,
    "samples": 4,
    "hidden": 8,
    "candidates": 12,
    "derive": 2,
    "audit": 0,
}


def error(path: tuple[int, ...]) -> float:
    """Operation 3 is the best one on each edge."""
    return 1.0 - sum(operation == 3 for operation in path) / 3


def run(strategy: Enas[Any], failing: frozenset[int] = frozenset(), payload: bool = True) -> tuple[list[Any], Any]:
    state, asked, id = strategy.init(Random(3)), [], 0
    while True:
        proposals, state = strategy.ask(state, Random(1000 + id))
        if not proposals:
            return asked, state
        asked.append(proposals)
        told = []
        for proposal in proposals:
            result: dict[str, Any] = {"steps": 5}
            if proposal.job and isinstance(order := parse(proposal.options), Scoring):
                result = {"losses": [0.1 + error(p) for p in order.paths]}
                result |= {"errors": [error(p) for p in order.paths]} if payload else {}
            fine = id not in failing
            losses = None if proposal.job or not fine else (0.1,)
            metrics = {"supernet_loss": 1.0} if fine else {}
            told.append(Evaluation(id, proposal.genome, losses, result if fine else None, metrics))
            id += 1
        state = strategy.tell(state, told, Random(2000 + id))


def test_weights_and_controller_take_turns() -> None:
    strategy = Enas(space=SPACE, **SMALL)
    asked, state = run(strategy)
    words = [step[0].operator for step in asked]
    assert words == ["epoch", "reward", "reward"] * 3 + ["score", "derived"]
    assert sum(len(step) for step in asked) == strategy.least_evaluations == 3 + 6 + 1 + 2
    assert [step[0].continues for step in asked[:7]] == [None, 0, 0, 0, 3, 3, 3]
    rewards = [parse(step[0].options) for step in asked if step[0].operator == "reward"]
    assert [order.first_batch for order in rewards] == [8, 12, 16, 20, 24, 28], "each on mini-batches of its own"
    second = parse(asked[3][0].options)
    assert isinstance(second, Training) and len(second.groups) == 5 and all(len(group) == 1 for group in second.groups)


def test_the_best_of_the_last_paths_are_derived() -> None:
    asked, state = run(Enas(space=SPACE, **SMALL))
    paths = parse(asked[-2][0].options).paths
    least = sorted(error(path) for path in paths)
    assert state.best_score == pytest.approx(0.1 + least[0])
    found = [tuple(SPACE.relaxed.edges[0].operations.index(op) for op in p.genome) for p in asked[-1]]
    assert error(found[0]) == least[0] and len(set(found)) == 2


def test_the_controller_learns_what_is_accurate() -> None:
    settings = {**SMALL, "epochs": 40, "controller_steps": 5, "controller_learning_rate": 0.02, "tanh_constant": 2.5}
    asked, _ = run(Enas(space=SPACE, **settings))
    orders = [parse(step[0].options) for step in asked if step[0].operator == "reward"]
    means = [fmean(1 - error(path) for path in order.paths) for order in orders]
    assert fmean(means[:5]) < 0.35 and fmean(means[-20:]) > 0.6


def test_bounded_logits_leave_no_option_certain() -> None:
    settings = {**SMALL, "epochs": 40, "controller_steps": 5, "controller_learning_rate": 0.1, "tanh_constant": 0.44}
    _, state = run(Enas(space=SPACE, **settings))
    assert state.entropy > 1.4, "five options within exp(0.88) of each other have at least 1.48 nats"


def test_the_baseline_takes_a_reward_in_before_it_is_subtracted() -> None:
    baseline, advantages = moved(0.5, [1.0, 0.0], 0.9)
    assert advantages == [pytest.approx(1.0 - 0.55), pytest.approx(0.0 - 0.495)]
    assert baseline == pytest.approx(0.495)


def test_what_failed_is_asked_again() -> None:
    asked, state = run(Enas(space=SPACE, **SMALL), failing=frozenset({0, 2, 5}))
    words = [step[0].operator for step in asked]
    assert words == ["epoch", "epoch", "reward", "reward", "reward", "epoch", "epoch"] + words[7:]
    assert state.shared.failed == 3 and state.shared.stage == "done"


def test_data_without_accuracies_are_refused() -> None:
    with pytest.raises(UsageError, match="rewards accuracies"):
        run(Enas(space=SPACE, **SMALL), payload=False)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"baseline_decay": 1.0}, r"strategy.baseline_decay must be a number in \[0, 1\)"),
        ({"samples": 0}, "strategy.samples must be a whole number of at least 1"),
        ({"tanh_constant": 0.0}, "strategy.tanh_constant must be"),
        ({"entropy_weight": -1e-4}, "strategy.entropy_weight must be"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Enas(space=SPACE, **{**SMALL, **settings})


def test_a_run_on_digits(tmp_path: Path) -> None:
    words = (
        *("search", "strategy=enas", "space=nasbench201", "space.channels=2", "space.nodes=3", "dataset=digits"),
        *("dataset.limit=100", "trainer.epochs=1", "device=cpu", "evaluator=serial", "--quiet", "--run-dir", "run"),
        *(f"strategy.{key}={value}" for key, value in {**SMALL, "epochs": 2, "batch_size": 16, "audit": 2}.items()),
    )
    done = subprocess.run([sys.executable, "-m", "evonas_cli", *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    last = json.loads((tmp_path / "run" / "figures.jsonl").read_text().splitlines()[-1])
    assert last["stage"] == "done" and 0 < last["baseline"] < 1 and last["audited"] == 2
    again = [sys.executable, "-m", "evonas_cli", "verify", "run", "--replay"]
    assert subprocess.run(again, cwd=tmp_path, capture_output=True).returncode == 0
