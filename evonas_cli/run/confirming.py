"""The configuration of a run that trains candidates of another run again: the source's own, with listed genomes."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.config.build import build, target
from evonas_cli.config.compose import Config, apply
from evonas_cli.config.folders import file_of, read
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.capabilities import Buildable, Neural, Tuning
from evonas_cli.network.neurons import ends
from evonas_cli.network.task import Task
from evonas_cli.run.identity import LATER

SPLITTING = ("seed", "dataset.test_fraction")
"""Keys that decide which examples are the test part."""


def confirming(
    source: Config,
    genomes: Sequence[Json],
    repeats: int,
    overrides: Sequence[str],
    allowed: Sequence[str],
    full: bool = False,
) -> Config:
    """The configuration that trains each of the genomes `repeats` times, keeps the weights, and measures the test part.

    With `full` the trainings use the validation part, too; nothing is measured on it, so that the objective is the loss
    of the training. Raises UsageError for a job that trains no networks or cannot train on the validation part, and for
    overrides that would change the test part or that the genomes set themselves.
    """
    config: Config = copy.deepcopy(source)
    known = inspect.signature(target(config["job"], "job", allowed)).parameters
    if "trainer" not in known and "test" not in known:
        raise UsageError(f"the job {_name(config)} of the run trains no networks, so there is nothing to train again")
    if "test" in known:
        config["job"]["test"] = True
    if full and "full" not in known:
        raise UsageError(f"the job {_name(config)} cannot train on the validation part; leave --full out")
    if full or config["job"].get("full"):
        config["job"]["full"], config["objectives"] = full, ["train_loss"] if full else None
        config["scalarize"] = None
        if full and "folds" in config["job"]:
            config["job"]["folds"] = 1
    later = {key.removeprefix("trainer."): value for key, value in LATER.items() if key.startswith("trainer.")}
    if "trainer" in known:
        config["trainer"] = {**later, **config["trainer"], "save_state": True}
    strategy = read(file_of("strategy", "listed", ()))
    config["strategy"] = {**strategy, "genomes": list(genomes), "repeats": repeats}
    config["window"], config["dedupe"], config["cache"] = strategy["_window_"], "none", "off"
    config["budget"] = {"evaluations": len(genomes) * repeats, "seconds": None, "cost": None}
    config["constraints"], config["jobs"], config["reference"] = {}, {}, None
    config["start_from"], config["start_best"] = None, None
    config["run"]["name"] = None
    config = apply(config, overrides)
    _check_overrides(config, [text.partition("=")[0] for text in overrides], allowed)
    return config


def _name(config: Config) -> str:
    return str(config["job"]["_target_"]).rpartition(".")[2]


def _check_overrides(config: Config, keys: Sequence[str], allowed: Sequence[str]) -> None:
    space: Any = build(config["space"], "space", allowed)
    tuned = [f"trainer.{key}" for key in space.tuned] if isinstance(space, Tuning) else []
    for key in keys:
        if key in SPLITTING:
            raise UsageError(
                f"{key} decides which examples are the test part, of which the search must have seen none; "
                "leave it, and train with several seeds by --seeds"
            )
        if key in tuned:
            raise UsageError(f"{key} is set by each genome of this space, so an override has no effect; leave it out")


def check_networks(config: Config, genomes: Mapping[int, Json], task: Any, allowed: Sequence[str]) -> None:
    """Whether each genome, by its candidate's id, is one of the configured space and has a network for the task.

    `task` is what the source recorded. Raises UsageError.
    """
    space: Any = build(config["space"], "space", allowed)
    needs: Any = target(config["job"], "job", allowed).needs
    neural = isinstance(needs, tuple) and Neural in needs
    for id, written in genomes.items():
        try:
            genome = space.from_json(written)
            if neural:
                space.decode_neurons(genome, *ends(Task.from_json(task)))
            elif isinstance(space, Buildable) and task is not None:
                space.decode(genome, Task.from_json(task))
        except Exception as error:  # whatever the space raises is what is wrong with this genome
            reason = " ".join(str(error).split())[:160] or type(error).__name__
            raise UsageError(
                f"candidate {id} has no network in the space with these settings: {reason}; change the space's settings"
            ) from error
