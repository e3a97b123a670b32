"""One search in several ways, each an `evonas search` of its own: what it takes, and whether its candidates agree."""

from __future__ import annotations

import statistics
import subprocess
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

from benchmarks.agreement import agreement

from evonas_cli.bench.rounds import interleave, machine
from evonas_cli.config.build import build
from evonas_cli.config.compose import compose
from evonas_cli.config.overrides import set_path
from evonas_cli.core.errors import EvonasError, UsageError
from evonas_cli.core.files import path_of
from evonas_cli.core.processes import command
from evonas_cli.core.types import Json
from evonas_cli.genomes.capabilities import Linear
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal

DATASETS = ("digits", "fashion_mnist", "cifar10", "npz")
METRICS = {"valid_accuracy": 0.005, "valid_loss": 0.01}
"""What is compared, and differences (shares, nats) up to which candidates count as near."""

Settings: TypeAlias = Sequence[str]


@dataclass(frozen=True)
class Run:
    """A finished search: seconds of the whole command and without its start, the type of device, the journal by id."""

    seconds: float
    searching: float
    device: str
    entries: tuple[dict[str, Any], ...]

    def column(self, metric: str) -> list[float | None]:
        """A metric of every candidate; None for those that failed."""
        return [entry["metrics"].get(metric) if entry["status"] == "ok" else None for entry in self.entries]

    def widest(self) -> int:
        """Places of the widest program in which candidates were trained side by side."""
        stacks = [entry.get("labels", {}).get("stack", "0/1") for entry in self.entries]
        return max(int(stack.rpartition("/")[2]) for stack in stacks)


def add_options(parser: ArgumentParser, epochs: int) -> None:
    """Which candidates are trained, on what, and how the outcome is shown."""
    parser.add_argument("--dataset", choices=DATASETS, default="digits", help="npz: an .npz file (default: digits)")
    parser.add_argument(
        "--root", help="folder with FashionMNIST/raw or cifar-10-batches-py; for npz the file; for digits nothing"
    )
    parser.add_argument("--limit", type=int, help="images used, training and validation together (default: all)")
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=epochs, help=f"of each training (default: {epochs})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, or auto (default: cpu)")
    parser.add_argument("--outputs", type=path_of, help="folder that keeps the runs (default: they are not kept)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("overrides", nargs="*", help="more settings of every run, e.g. trainer.batch_size=128")


def common(given: Namespace, space: str) -> list[str]:
    """The settings of every run: one ask of all candidates, drawn from the space's prior.

    It is the first generation of the genetic algorithm, or where the space does not serve that, random search that asks
    for all of them before it is told of one. Raises UsageError.
    """
    settings = [f"space={space}", *_data(given.dataset, given.root, given.limit), f"seed={given.seed}"]
    settings += [f"trainer.epochs={given.epochs}", f"device={given.device}", "objectives=[valid_error]"]
    settings += [f"budget.evaluations={given.candidates}", *given.overrides]
    linear = isinstance(build(compose(["job=train", *settings]).config["space"], "space"), Linear)
    ask = ["strategy=genetic", f"strategy.population_size={given.candidates}"]
    return [*settings, *(ask if linear else ["strategy=random", f"window={given.candidates}"])]


def _data(name: str, root: str | None, limit: int | None) -> list[str]:
    if (root is None) != (name == "digits"):
        raise UsageError(f"--dataset {name} {'needs' if root is None else 'takes no'} --root")
    where = []
    if root is not None:
        npz = [set_path("dataset.path", root)]
        where = npz if name == "npz" else [set_path("dataset.root", root), "dataset.download=false"]
    return [f"dataset={name}", *where, *([f"dataset.limit={limit}"] if limit else [])]


def run(settings: Settings, folder: Path) -> Run:
    """Searches as a user does, into `folder`. Raises what the search ended with."""
    words = [*command(here=False), "search", *settings, "--run-dir", str(folder), "--quiet"]
    started = perf_counter()
    done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = perf_counter() - started
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        error = EvonasError(f"the search in {folder} failed: {said.removeprefix('evonas: ')}")
        error.exit_code = done.returncode
        raise error
    found = RunDirectory(folder)
    device = found.metadata()["environment"]["device"]
    return Run(seconds, found.elapsed(), device, tuple(Journal(found.journal, write=False)))


def measure(ways: Mapping[str, Settings], settings: Settings, folder: Path, rounds: int = 1) -> dict[str, Any]:
    """Runs the same search in every way, in rounds, every second one in reverse.

    The document has medians of times over the rounds for each way, the metrics of each candidate in the first round,
    and how far they are from those of the first way. Raises RuntimeError when two ways have trained other candidates.
    """
    turns = {name: iter(range(rounds)) for name in ways}

    def once(name: str) -> Run:
        return run([*settings, *ways[name]], folder / f"{name.replace(' ', '-')}-{next(turns[name])}")

    found = interleave({name: partial(once, name) for name in ways}, rounds)
    first = {name: runs[0] for name, runs in found.items()}
    genomes = [[entry["genome"] for entry in each.entries] for runs in found.values() for each in runs]
    if any(other != genomes[0] for other in genomes[1:]):
        raise RuntimeError("the runs have trained different candidates, so there is nothing to compare")
    return {
        "settings": list(settings),
        "ways": {name: _way(ways[name], runs) for name, runs in found.items()},
        "candidates": [_candidate(first, number) for number in range(len(genomes[0]))],
        "agreement": _agreement(first),
        "machine": machine(next(iter(first.values())).device),
    }


def _way(settings: Settings, runs: Sequence[Run]) -> dict[str, Json]:
    seconds = [each.seconds for each in runs]
    accuracies = [value for value in runs[0].column("valid_accuracy") if value is not None]
    count = len(runs[0].entries)
    return {
        "settings": list(settings),
        "seconds": statistics.median(seconds),
        "least_seconds": min(seconds),
        "most_seconds": max(seconds),
        "searching_seconds": statistics.median([each.searching for each in runs]),
        "trainings_per_hour": 3600 * count / statistics.median(seconds),
        "widest_program": runs[0].widest(),
        "failed": count - len(accuracies),
        "best_valid_accuracy": max(accuracies, default=None),
    }


def _candidate(first: Mapping[str, Run], number: int) -> dict[str, Json]:
    columns = {metric: {name: each.column(metric)[number] for name, each in first.items()} for metric in METRICS}
    return {"id": number, "genome": next(iter(first.values())).entries[number]["genome"], **columns}


def _agreement(first: Mapping[str, Run]) -> dict[str, Json]:
    """For each metric and each way but the first, as `agreement`."""
    base, *others = first
    return {
        metric: {name: agreement(first[base].column(metric), first[name].column(metric), near) for name in others}
        for metric, near in METRICS.items()
    }
