"""`kill -9` while methods with spaces of their own search: the resumed run ends as the one that was never stopped.

NEAT, also for novelty and surprise, on policies and on substrates, backprop NEAT and genetic programming, which also
search for novelty and surprise, work with neurons on a pool; CoDeepNEAT trains for novelty;
EvoGrad, coevolution, Q-learning, screened evolution and a search for curiosity are told of landscapes, growing cells,
genetic programming and random graphs of sizes.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run

POOL = ("evaluator.workers=2", "snapshot.every=10")
NEAT = ("strategy=neat", "strategy.population_size=40", "strategy.species=4", "budget.evaluations=240", *POOL)
LANDSCAPE = ("job=landscape", "budget.evaluations=3000", "snapshot.every=100")
CASES = {
    "neat": NEAT,
    "neat, novelty": (*NEAT, "strategy.pressure=novelty", "strategy.rho=0.5", "job.descriptor=outputs"),
    "neat, surprise": (*NEAT, "strategy.pressure=surprise", "job.descriptor=outputs"),
    "neat, policies": ("experiment=cartpole", *NEAT[1:], "job.episodes=2", "job.steps=100"),
    "neat, substrates": ("experiment=hyperneat", *NEAT[1:]),
    "backprop_neat": (
        *("strategy=backprop_neat", "strategy.population_size=12", "strategy.clusters=3", "dataset=xor"),
        *("objectives=[fitness_loss]", "job.steps=100", "dataset.n_train=50", "budget.evaluations=75", *POOL),
    ),
    "backprop_neat, novelty": (
        *("strategy=backprop_neat", "strategy.population_size=12", "strategy.clusters=3", "dataset=xor"),
        *("strategy.pressure=novelty", "strategy.rho=0.5", "strategy.novelty_share=0.5", "job.descriptor=outputs"),
        *("job.steps=20", "dataset.n_train=50", "budget.evaluations=110", *POOL),
    ),
    "genetic_programming, surprise": (
        *("strategy=genetic_programming", "space=neurons", "job=neurons_evolved", "job.descriptor=outputs"),
        *("strategy.pressure=surprise", "strategy.visits=null", "budget.evaluations=240", *POOL),
    ),
    "codeepneat, novelty": (
        *("strategy=codeepneat", "dataset=digits", "dataset.limit=200", "trainer.epochs=1"),
        *("strategy.pressure=novelty", "job.descriptor=size", "budget.evaluations=36", "evaluator=serial"),
    ),
    "cmtr": (
        *("strategy=cmtr", "trainer.epochs=1", "strategy.population_size=2", "strategy.rounds=2"),
        *("budget.evaluations=8", "evaluator=serial"),
    ),
    "evograd": ("strategy=evograd", "space=parabola", "strategy.learn_sigma=true", *LANDSCAPE),
    "q_learning": (
        *("strategy=q_learning", "strategy.replays=5", "strategy.epsilons=[[1.0,200],[0.1,400]]"),
        *(LANDSCAPE[0], "budget.evaluations=600", LANDSCAPE[2]),
    ),
    "screened": (
        "strategy=screened",
        "strategy.start=10",
        *LANDSCAPE[:1],
        "budget.evaluations=150",
        "snapshot.every=20",
    ),
    "progressive": (
        *("strategy=progressive", "space=nasbench201", "job=size", "dataset=digits", "strategy.beam=10"),
        *("budget.evaluations=125", "snapshot.every=20"),
    ),
    "genetic_programming": (
        *("strategy=genetic_programming", "space=chain_cnn", "job=size", "dataset=digits"),
        *("budget.evaluations=110", "snapshot.every=20"),
    ),
    "joint": (
        *("strategy=genetic", "space=joint", "space.training=learning_rule", "job=size", "dataset=digits"),
        *("budget.evaluations=110", "snapshot.every=20"),
    ),
    "random graphs": (
        *("strategy=genetic", "space=dag_cnn", "job=size", "dataset=digits"),
        *("budget.evaluations=110", "snapshot.every=20"),
    ),
    "curiosity": (
        *("strategy=genetic", "space=maze", "job.noise=0", "job.descriptor=behaviour"),
        *("strategy.pressure=curiosity", *LANDSCAPE),
    ),
    "coevolution": ("strategy=coevolution", "space=sequences", *LANDSCAPE),
}
FEW = {"cmtr": 3, "codeepneat, novelty": 15}
"""Candidates that are recorded before the kill, where a run has only a few."""
SERIAL = "evaluator=serial"
"""Where a search is made that nobody kills, and where one goes on: with the same bits, without processes to start."""
PLACE = ("device=cpu", "--quiet")


def verdict(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    code = run(["verify", str(root), "--json", *words])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == 0, found
    return found


def killed(words: list[str], root: Path, lines: int) -> None:
    """Ends with at least so many candidates recorded."""
    command = [sys.executable, "-m", "evonas_cli", *words, "--run-dir", str(root)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    journal = root / "journal.jsonl"
    try:
        while not journal.exists() or journal.read_bytes().count(b"\n") < lines:
            assert process.poll() is None, "the search was over before it could be killed"
            time.sleep(0.002)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL


LEAST = ("neat", "screened", "genetic_programming", "cmtr", "coevolution")
"""What a short suite kills; with EVONAS_KILLS above 1 it is everything."""
NAMES = tuple(CASES) if int(os.environ.get("EVONAS_KILLS", "1")) > 1 else LEAST


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_run_ends_the_same(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    if name == "neat, policies":
        pytest.importorskip("gymnasium", reason="needs gymnasium: pip install 'evonas[control]'")
    words, rng = ["search", *CASES[name], *PLACE], random.Random(name)
    here = [*(word for word in words if not word.startswith("evaluator")), SERIAL]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run([*here, "--run-dir", str(whole)]) == 0
    expected = verdict(whole, capsys, "--replay")
    killed(words, broken, FEW.get(name, rng.randint(20, 100)))
    record_property("kills", 1)
    assert run(["resume", str(broken), SERIAL, "--quiet"]) == 0
    found = verdict(broken, capsys)
    assert found["complete"] and found["digest"] == expected["digest"]
