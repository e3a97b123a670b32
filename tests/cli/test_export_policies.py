"""Exports of policies: every form, checked on observations of the policy's own episodes, and played without evonas."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas_cli.cli.app import run
from evonas_cli.network.neurons import Neurons
from evonas_cli.training.control.recording import answered
from evonas_cli.training.control.simulation import Simulation

pytestmark = pytest.mark.skipif(find_spec("gymnasium") is None, reason="needs gymnasium: pip install 'evonas[control]'")
SEARCH = ("search", "experiment=cartpole", "strategy.population_size=8", "job.episodes=2", "job.steps=60",
          "budget.evaluations=24", "space.add_node_probability=0.9", "evaluator=serial", "--quiet")  # fmt: skip
PLAYED = """
import json, sys
import gymnasium, torch
sys.path.insert(0, sys.argv[1])
from model import NAMES, load
model, returns = load(), []
for seed in map(int, sys.argv[2:]):
    environment, total, over = gymnasium.make("CartPole-v1", max_episode_steps=60), 0.0, False
    seen = environment.reset(seed=seed)[0]
    while not over:
        with torch.inference_mode():
            action = int(NAMES[int(model(torch.from_numpy(seen)[None])[0].argmax())])
        seen, reward, ended, cut, _ = environment.step(action)
        total, over = total + float(reward), ended or cut
    returns.append(total)
print(json.dumps(returns))
"""


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("policies") / "run"
    assert run([*SEARCH, "--run-dir", str(root)]) == 0
    return root


def entry_of(root: Path, id: int) -> Any:
    lines = [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]
    return next(line for line in lines if line["id"] == id)


def test_an_exported_policy_plays_the_same_episodes_without_evonas(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    assert run(["export", str(searched), "best", "--format", "dir,py,onnx,pt2", "-o", str(folder), "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["exported"]
    metrics = entry_of(searched, found["candidate"])["metrics"]
    assert found["right"] == found["examples"] == metrics["cost"] and found["checked_on"] == "episodes"
    card = (folder / "README.md").read_text()
    assert "# A policy for CartPole-v1" in card and "environment: CartPole-v1, gymnasium" in card
    assert f"| return | {metrics['return']:.4g} |" in card and "SHA-256" not in card
    starts = Simulation(environment="CartPole-v1", episodes=2, steps=60, threshold=None, seed=0)
    seeds = [str(starts.start(episode)) for episode in range(2)]
    command = [sys.executable, "-I", "-c", PLAYED, str(folder), *seeds]
    returns = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert sum(returns) / 2 == metrics["return"]


def test_predictions_name_actions_and_there_is_nothing_to_evaluate(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], refused: Callable[..., str]
) -> None:
    folder, file = tmp_path / "out", str(tmp_path / "seen.npz")
    assert run(["export", str(searched), "best", "--format", "dir,py", "-o", str(folder)]) == 0
    np.savez(file, x=np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32), y=np.zeros(30, int))
    capsys.readouterr()
    assert run(["predict", str(folder / "plan.json"), file]) == 0
    ours = [line.split(",") for line in capsys.readouterr().out.splitlines()]
    assert ours[0] == ["input", "action", "score 0", "score 1"] and len(ours) == 31
    assert all(row[1] == ("1" if float(row[3]) > float(row[2]) else "0") for row in ours[1:])
    text = subprocess.run([sys.executable, "-I", str(folder / "model.py"), file], capture_output=True, text=True).stdout
    assert [line.split(",")[1] for line in text.splitlines()] == [row[1] for row in ours]
    assert "the model is a policy" in refused(2, "evaluate", str(folder), file)
    regions = refused(2, "plot", str(searched), "--regions", "best", "-o", str(tmp_path / "a.svg"))
    assert "no decision regions: its candidates are policies" in regions


def test_several_policies_are_each_checked_on_their_own_episodes(searched: Path, tmp_path: Path) -> None:
    assert run(["export", str(searched), "0", "1", "-o", str(tmp_path / "two")]) == 0
    counts = [f"the {int(entry_of(searched, id)['metrics']['cost'])} observations of the policy" for id in (0, 1)]
    assert all(count in (tmp_path / "two" / str(id) / "README.md").read_text() for id, count in enumerate(counts))


def test_a_policy_is_recorded_step_by_step() -> None:
    """One that always takes action 1: observations are those of the environment, the first is its start."""
    import gymnasium

    policy = Neurons(4, 2, ("add", "add"), ((4, 5), (4, 6)), (0.0, 1.0))
    simulation = Simulation(environment="CartPole-v1", episodes=1, steps=None, threshold=None, seed=3)
    seen, actions = answered(policy, simulation)
    environment = gymnasium.make("CartPole-v1")
    expected, over = [environment.reset(seed=simulation.start(0))[0]], False
    while not over:
        observation, _, over, _, _ = environment.step(1)
        expected.append(observation)
    assert np.array_equal(seen, np.stack(expected[:-1])) and actions.tolist() == [1] * len(seen)
