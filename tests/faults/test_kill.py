"""`kill -9` at random moments, with real training: the resumed run ends as the one that was never stopped.

EVONAS_KILLS sets the kills a case (default 1, so that the suite stays short; 10 is the full torture). The place
`forked` is the serial evaluator in a process that is forked where everything is imported: starting takes no time there,
so that many kills take minutes.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli import app
from evonas_cli.config.folders import options
from evonas_cli.run.assembly import Parts
from evonas_cli.torture.warm import Started, forked

EVONAS = (sys.executable, "-m", "evonas_cli")
KILLS = int(os.environ.get("EVONAS_KILLS", "1"))
SEARCH = (
    "budget.evaluations=8",
    "dataset=digits",
    "dataset.limit=400",
    "trainer.epochs=2",
    "trainer.checkpoint_seconds=0",
    "device=cpu",
    "snapshot.every=2",
)
CELLS = ("space=nasbench201", "space.channels=4")
SETTINGS = ("space=hyperparameters", "space.channels=[4,4]", "trainer.save_state=true")
ASSEMBLIES = ("space=codeepneat", "space.filters=[4,8]", "space.initial_nodes=2")
MORPHING = ("space=layered_cnn", "trainer.save_state=true")
HALVING = ("strategy=halving", "strategy.rungs=[[4,1],[2,2]]", "strategy.continues=true")
PROPOSING = ("strategy.continues=true", "strategy.proposer=regularized_evolution")
CURVES = ("strategy=extrapolation", "strategy.start=0.5", "strategy.every=0.25", "objectives=[valid_error]")
GENETIC = ("strategy=genetic", "strategy.population_size=4", "strategy.archive=false")
ELSEWHERE = (
    *("cmtr", "neat", "backprop_neat", "evograd", "coevolution", "screened", "progressive"),
    *("genetic_programming", "q_learning"),
)
"""Strategies that tests/faults/test_kill_methods.py kills, on spaces of their own."""
SHARED = (*CELLS, "space.nodes=3", "strategy.batch_size=16", "strategy.audit=2", "strategy.derive=1")
"""Settings of one-shot searches, with their epochs a whole one in eight candidates."""
SCENES = ("dataset=scenes", "dataset.limit=", "dataset.n_train=64", "dataset.n_valid=40", "dataset.n_test=10")
GENOME = "{learning_rate:0.1,momentum:0.9,weight_decay:0.001}"
CASES: dict[str, tuple[str, ...]] = {
    **{name: (*CELLS, f"strategy={name}") for name in options("strategy") if name not in ELSEWHERE},
    "genetic": (*CELLS, "strategy=genetic", "strategy.population_size=4", "strategy.diversity=crowding"),
    "genetic, weights": (*SETTINGS, *GENETIC, "strategy.inherit=weights"),
    "genetic, schedule": (*SETTINGS, *GENETIC, "strategy.inherit=schedule", "strategy.generations=2"),
    "halving": (*SETTINGS, *HALVING),
    "hyperband": (*SETTINGS, "strategy=hyperband", "strategy.least_fidelity=0.5", "strategy.reduction=2", *PROPOSING),
    "extrapolation": (*SETTINGS, *CURVES, "trainer.epochs=8", "strategy.proposer=regularized_evolution"),
    "regularized_evolution": (*CELLS, "strategy=regularized_evolution", "strategy.population_size=4"),
    "repeats": (
        *(*CELLS, "space.operations=[none,nor_conv_1x1]", "strategy=regularized_evolution"),
        *("strategy.population_size=4", "window=3", "dedupe=function"),
    ),
    "reinforce": ("space=chain_cnn", "space.filters=[4,8]", "strategy=reinforce", "strategy.children=4"),
    "network_morphism": (*(*MORPHING, "strategy=network_morphism", "strategy.neighbours=2", "strategy.coldest=0.5"),),
    "nasbot": ("space=mlp", "space.widths=[0,8,16]", "strategy=nasbot", "strategy.initial=3"),
    "adanet": ("space=mlp_ensemble", "strategy=adanet", "trainer.save_state=true"),
    "ppo": (*CELLS, "strategy=ppo", "strategy.children=4"),
    "bayesian": (*CELLS, "strategy=bayesian", "strategy.initial=3"),
    "irlas": (
        *("space=chain_cnn", "space.filters=[4,8]", "strategy=irlas", "strategy.epsilons=[[1.0,4],[0.5,4]]"),
        *("strategy.rounds=1", "strategy.walks=8", "strategy.replays=5", "strategy.inputs=[1,8,8]"),
    ),
    "nsga2": (*CELLS, "strategy=nsga2", "strategy.population_size=4"),
    "hill_climbing": (*MORPHING, "strategy=hill_climbing", "strategy.children=3"),
    "lemonade": (
        *(*MORPHING, "strategy=lemonade", "strategy.initial=2", "strategy.proposed=6", "strategy.trained=3"),
        "strategy.distil=4",
    ),
    "population_based_training": (
        *(*SETTINGS, "strategy=population_based_training", "strategy.population_size=4", "strategy.generations=2"),
    ),
    "bananas": (*CELLS, "strategy=bananas", "strategy.initial=3", "strategy.batch=2", "strategy.epochs=20"),
    "listed": (*SETTINGS, "strategy=listed", f"strategy.genomes=[{GENOME},{GENOME}]", "strategy.repeats=4"),
    "codeepneat": (
        *(*ASSEMBLIES, "strategy=codeepneat", "strategy.module_population=4", "strategy.module_species=2"),
        *("strategy.blueprint_population=2", "strategy.assemblies=4"),
    ),
    "deepneat": (*ASSEMBLIES, "strategy=deepneat", "strategy.population_size=4", "strategy.species=2"),
    **{name: (*SHARED, f"strategy={name}", "strategy.epochs=4") for name in ("bayesnas", "darts", "xnas")},
    "one_shot": (*SHARED, "strategy=one_shot", "strategy.epochs=2", "strategy.rounds=2"),
    "enas": (*SHARED, "strategy=enas", "strategy.epochs=1", "strategy.controller_steps=1"),
    "pyramids": (*SCENES, "space=fpn", "strategy=regularized_evolution", "strategy.population_size=4"),
    "backbones": (
        *(*SCENES, "space=backbone", "space.blocks=1", *SHARED[3:], "strategy=one_shot", "strategy.epochs=2"),
        *("strategy.rounds=2", "strategy.population_size=8", "strategy.max_multiply_adds=810000"),
    ),
}
"""Every strategy but those on spaces of their own; those not named here run on cells, with their YAML."""
FORKED = "forked"
PLACES = {
    FORKED: ("evaluator=serial",),
    "serial": ("evaluator=serial",),
    "pool-1": ("evaluator=pool", "evaluator.workers=1"),
    "pool-2": ("evaluator=pool", "evaluator.workers=2"),
    "pool-4": ("evaluator=pool", "evaluator.workers=4"),
}
TOY = ("space=bits", "job=landscape", "strategy=random")
"""What is searched where nothing has to be trained."""
LEAST = (("genetic, schedule", "pool-2"), ("codeepneat", FORKED))
"""What a short suite kills beside the toy of test_torture.py; with more kills it is everything."""


def overrides(strategy: str, place: str) -> list[str]:
    """The settings of the search; a case's own one, or none where nothing follows its `=`, instead of a common one."""
    given = {word.partition("=")[0]: word for word in (*SEARCH, *CASES[strategy], *PLACES[place])}
    return [word for word in given.values() if not word.endswith("=")]


def command(strategy: str, place: str, run: Path) -> list[str]:
    return ["search", *overrides(strategy, place), "--run-dir", str(run), "--resume", "auto"]


def started(strategy: str, place: str, run: Path) -> Started:
    """A search in a process of its own that nobody listens to."""
    words = command(strategy, place, run)
    if place == FORKED:
        return forked(words)
    return subprocess.Popen([*EVONAS, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def verified(run: Path) -> dict[str, Any]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert app.run(["verify", str(run), "--json"]) == 0
    document: dict[str, Any] = json.loads(out.getvalue())
    return document


def curves(run: Path) -> dict[int, Any]:
    """The learning curve of each candidate."""
    entries = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    return {entry["id"]: entry["curves"] for entry in entries if "curves" in entry}


@cache
def undisturbed(strategy: str, folder: Path) -> tuple[dict[str, Any], float]:
    """The verdict of a run in one go, on the serial evaluator, and the seconds it took."""
    began = time.monotonic()
    assert started(strategy, FORKED, folder / strategy).wait() == 0
    return verified(folder / strategy), time.monotonic() - began


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("undisturbed")


def wait_for_a_random_moment(process: Started, journal: Path, rng: random.Random, seconds: float) -> bool:
    """Waits until the journal has some number of lines and a little longer; False when the run has ended before."""

    def lines() -> int:
        return journal.read_bytes().count(b"\n") if journal.exists() else 0

    done = lines()
    wanted = rng.randint(done, 7) if done < 8 else done
    while lines() < wanted and process.poll() is None:
        time.sleep(0.01)
    try:
        process.wait(rng.uniform(0, 0.6 * seconds if wanted == done else 0.3))
    except subprocess.TimeoutExpired:
        return True
    return False


@pytest.mark.parametrize(("strategy", "place"), [*itertools.product(CASES, PLACES)] if KILLS > 1 else LEAST)
def test_killed_at_random_moments_it_ends_the_same(
    strategy: str, place: str, folder: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    expected, seconds = undisturbed(strategy, folder)
    rng, kills, runs = random.Random(f"{strategy}/{place}"), 0, 0
    run = tmp_path / "run-0"

    def check() -> None:
        verdict = verified(run)
        assert verdict["ok"] and verdict["complete"] and verdict["evaluations"] == expected["evaluations"]
        assert verdict["digest"] == expected["digest"]
        assert curves(run) == curves(folder / strategy)

    for _ in range(20 * KILLS):
        if kills == KILLS:
            break
        process = started(strategy, place, run)
        if wait_for_a_random_moment(process, run / "journal.jsonl", rng, seconds):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += process.returncode == -signal.SIGKILL
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0
            check()
            runs += 1
            run = tmp_path / f"run-{runs}"
    record_property("kills", kills)
    assert kills == KILLS
    assert started(strategy, place, run).wait() == 0
    check()


@pytest.mark.parametrize("strategy", CASES)
def test_every_case_is_a_search(strategy: str, compose_parts: Callable[..., Parts]) -> None:
    assert compose_parts(*overrides(strategy, "serial")).strategy


@pytest.mark.parametrize(("gap", "begun"), [(0.01, False), (0.3, True)])
def test_impatience_changes_nothing(gap: float, begun: bool, tmp_path: Path) -> None:
    """Ctrl-C three times, also before there is a run: one line, one exit code, no traceback."""
    words = [
        *EVONAS,
        "search",
        *TOY,
        "budget.evaluations=100000",
        *PLACES["pool-2"],
        "--run-dir",
        str(tmp_path / "run"),
    ]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "candidate" in line or not begun:
            break
    for _ in range(3):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        time.sleep(gap)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 130
    said = [line for line in rest.splitlines() if not line.startswith("[")]
    after = "; what was recorded is safe" if begun else " while starting; nothing has changed"
    assert len(said) == 1 and said[0].startswith(f"evonas: stopped by Ctrl-C{after}")
    assert begun or not (tmp_path / "run").exists()


@pytest.mark.parametrize("where", ["reader gone", "/dev/full"])
def test_a_search_goes_on_when_nobody_hears_it(where: str, tmp_path: Path) -> None:
    words = [*EVONAS, "search", *TOY, "budget.evaluations=1000", *PLACES["pool-1"], "--run-dir", str(tmp_path / "run")]
    with open("/dev/full", "w") as full:
        ear = full if where == "/dev/full" else subprocess.PIPE
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=ear, text=True, start_new_session=True)
        if process.stderr is not None:
            process.stderr.readline()
            process.stderr.close()
            os.killpg(process.pid, signal.SIGHUP)  # as when a terminal goes, with whose workers, too
            process.stderr = None
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and out.splitlines()[-1] == str(tmp_path / "run")
    assert verified(tmp_path / "run")["complete"]
