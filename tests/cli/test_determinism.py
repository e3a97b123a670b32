"""The same command gives the same run: in another process and folder, with another hash seed, after other runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.config.folders import options

TOY = ("search", "job=landscape", "budget.evaluations=60", "--quiet", "--run-dir", "run")
SPACES = {
    "coevolution": ("space=sequences",),
    "evograd": ("space=parabola",),
    "grid": ("space=chain_landscape", "space.length=6"),
    "listed": ("space=bits", "space.length=3", "strategy.genomes=[[0,1,1],[1,0,1]]", "strategy.repeats=3"),
}
# The job `landscape` is refused with these: both decide between trainings of several lengths.
SCHEDULED = ("halving", "population_based_training")
SHORT = ("dataset.limit=80", "trainer.epochs=1")
ASSEMBLED = ("codeepneat", "deepneat")
ONE_SHOT = ("bayesnas", "darts", "enas", "one_shot", "xnas")
# Strategies with spaces and jobs of their own.
OF_THEIR_OWN = {
    "neat": ("strategy.population_size=20",),
    "adanet": ("space=mlp_ensemble", *SHORT),
    "extrapolation": ("space=mlp", *SHORT[:1], "trainer.epochs=8", "strategy.start=0.5", "budget.evaluations=12"),
    "hyperband": ("space=mlp", *SHORT[:1], "trainer.epochs=9", "budget.evaluations=14"),
    "hill_climbing": ("space=layered_cnn", *SHORT, "strategy.children=3", "budget.evaluations=7"),
    "lemonade": ("space=layered_cnn", *SHORT, "strategy.proposed=6", "strategy.trained=3", "budget.evaluations=10"),
    "network_morphism": ("space=layered_cnn", *SHORT, "strategy.coldest=0.9", "budget.evaluations=5"),
    "nasbot": ("space=mlp", "job=size", "strategy.candidates=8", "strategy.initial=4", "budget.evaluations=7"),
    "genetic_programming": (
        *("strategy.population_size=6", "strategy.species=2", "job.hidden=4", "dataset.n_train=20"),
        *("trainer.epochs=1", "budget.evaluations=18"),
    ),
    "progressive": ("space=nasbench201", "space.nodes=3", "job=size"),
    "cmtr": ("trainer.epochs=1", "strategy.population_size=2", "strategy.rounds=2", "budget.evaluations=8"),
    "irlas": ("space=chain_cnn", *SHORT, "strategy.epsilons=[[1.0,4],[0.1,4]]", "budget.evaluations=8"),
    "backprop_neat": ("strategy.population_size=20", "dataset=xor", "dataset.n_train=40", "job.steps=40"),
}
TRAINED = ("search", "space=codeepneat", "space.filters=[2,4]", "dataset.limit=80", "trainer.epochs=1", "device=cpu")
SHARED = (
    *("search", "space=nasbench201", "space.channels=2", "space.nodes=3", "dataset.limit=80", "trainer.epochs=1"),
    *("strategy.epochs=2", "strategy.batch_size=16", "strategy.derive=1", "strategy.audit=2", "device=cpu"),
)
STRATEGIES = [name for name in options("strategy") if name not in SCHEDULED]
SEARCHES = """
import json, os, sys

from evonas_cli.cli.app import run

for name, words in json.loads(sys.argv[1]).items():
    os.mkdir(name)
    os.chdir(name)
    assert run(words) == 0, name
    os.chdir("..")
"""


def words(strategy: str) -> tuple[str, ...]:
    if strategy in OF_THEIR_OWN:
        own = OF_THEIR_OWN[strategy]
        budget = () if any(word.startswith("budget.") for word in own) else ("budget.evaluations=60",)
        more = ("evaluator=serial", "device=cpu", "--quiet", "--run-dir", "run")
        return ("search", f"strategy={strategy}", *own, *budget, *more)
    if strategy in ONE_SHOT:
        return (*SHARED, "dataset=digits", "evaluator=serial", "--quiet", "--run-dir", "run", f"strategy={strategy}")
    if strategy in ASSEMBLED:
        more = ("dataset=digits", "evaluator=serial", "budget.evaluations=24", "--quiet", "--run-dir", "run")
        return (*TRAINED, *more, f"strategy={strategy}")
    return (*TOY, *SPACES.get(strategy, ("space=chain_landscape",)), f"strategy={strategy}")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two folders with a run of each strategy; each folder was filled by one process, the second in reverse order."""
    found = []
    for seed, names in (("1", STRATEGIES), ("2", STRATEGIES[::-1])):
        folder = tmp_path_factory.mktemp(f"seed-{seed}")
        code = [sys.executable, "-c", SEARCHES, json.dumps({name: words(name) for name in names})]
        subprocess.run(code, cwd=folder, env={**os.environ, "PYTHONHASHSEED": seed}, check=True)
        found.append(folder)
    return found


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_hash_seed_folder_and_what_ran_before_change_nothing(
    strategy: str, folders: list[Path], evonas_here: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    verdicts = [json.loads(evonas_here("verify", str(one / strategy / "run"), "--json").stdout) for one in folders]
    assert all(verdict["ok"] and verdict["complete"] for verdict in verdicts)
    assert verdicts[0]["digest"] == verdicts[1]["digest"]
