"""From a resolved configuration to objects that fit together, and to the identity of the run they make."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas_cli.config import Config, build, spaces, target
from evonas_cli.contracts import check_dataset, check_dedupe, check_interfaces, try_out
from evonas_cli.core.cache import Keys
from evonas_cli.core.capability import lack
from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.core.evaluating import Context, Evaluator, Job, Keyed
from evonas_cli.core.files import expanded
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.protocols import Continues, Particular, Rising, Space, Staged, Strategy, Tuning
from evonas_cli.core.types import Json, Objective
from evonas_cli.settings import check_root, nearest
from evonas_cli.store.directory import RunDirectory, check_name

NEUTRAL = (
    "budget",
    "run",
    "snapshot",
    "device",
    "evaluator",
    "dataset.root",
    "dataset.path",
    "dataset.download",
    "dataset.memory",
    "job.path",
    "trainer.checkpoint_seconds",
)
"""Keys that never change a result. Everything else, and `evaluator.threads`, is the run's identity."""
LATER: Mapping[str, Json] = {
    "dedupe": "none",
    "dataset.mixup": 0.0,
    "dataset.randaugment": 0,
    "dataset.magnitude": 9,
    "trainer.convolution": "auto",
    "trainer.graph": None,
    "job.in_flight": 8,
    "job.accuracy_unit": "percent",
    "strategy.batch": 1,
}
"""Keys that older runs do not have, with the value that they have run by."""


@dataclass(frozen=True)
class Parts:
    """What a configuration describes, built and checked to fit together. `recipe` makes the job wherever it runs."""

    config: Config
    space: Space[Any]
    strategy: Strategy[Any, Any]
    objectives: tuple[Objective, ...]
    recipe: Callable[[], Job[Any]]
    allowed: tuple[str, ...]

    def fold(self) -> Fold[Any]:
        """A fold at its beginning."""
        budget = Budget(**self.config["budget"])
        return Fold(self.strategy, self.objectives, self.config["seed"], self.config["window"], budget)

    def evaluator(self, context: Context) -> Evaluator[Any]:
        """The configured evaluator, not started. Raises UsageError."""
        given = {"recipe": self.recipe, "context": context, "device": self.config["device"]}
        evaluator: Evaluator[Any] = build(self.config["evaluator"], "evaluator", self.allowed, **given)
        check_interfaces(evaluator=evaluator)
        return evaluator

    def keys(self, environment: Mapping[str, Json]) -> Keys[Any] | None:
        """What tells equal candidates, if the run evaluates them once; `environment` is that of the job."""
        how = self.config["dedupe"]
        if how == "none":
            return None
        job: Any = self.recipe()
        return Keys(self.space, job if how == "function" else None, environment)


def job_of(config: Config, allowed: Sequence[str] = (), device: str | None = None) -> Job[Any]:
    """Builds the job with those collaborators that its constructor names; `device` overrides the configured one."""
    wanted = inspect.signature(target(config["job"], "job", allowed)).parameters
    collaborators: dict[str, Any] = {
        "seed": config["seed"],
        "device": device or config["device"],
        "deterministic": config["deterministic"],
        "threads": config["evaluator"].get("threads", 1),
    }
    for group in ("space", "dataset", "trainer"):
        if group in wanted:
            collaborators[group] = build(config[group], group, allowed)
    if "dataset" in collaborators:
        check_dataset(collaborators["dataset"])
    job: Job[Any] = build(config["job"], "job", allowed, **collaborators)
    return job


def assemble(config: Config, allowed: Sequence[str] = (), folders: Sequence[Path] = (), trial: bool = True) -> Parts:
    """Builds everything that needs no data and no device; with `trial` the user's own parts are tried out.

    Raises UsageError for parts that do not fit, or do not keep to their interfaces.
    """
    space = build(config["space"], "space", allowed)
    strategy = build(config["strategy"], "strategy", allowed, space=space)
    recipe = functools.partial(job_of, config, tuple(allowed))
    job = recipe()
    check_interfaces(space=space, strategy=strategy, job=job)
    _check_needs("strategy", config["strategy"], strategy.needs, space, allowed, folders)
    _check_needs("job", config["job"], job.needs, space, allowed, folders)
    objectives = tuple(_objective(name, job, config["deterministic"]) for name in config["objectives"])
    if config["budget"]["cost"] is not None and "cost" not in job.metrics:
        raise UsageError("budget.cost is set but this job measures no cost; use budget.evaluations")
    if isinstance(strategy, Particular):
        strategy.check_objectives(objectives)
    if isinstance(strategy, Continues) and strategy.continues:
        _check_continues(config, allowed)
        _check_stages(config, strategy, space)
    if config["dedupe"] != "none":
        check_dedupe(config["dedupe"], strategy, objectives)
    if config["dedupe"] == "function":
        if not isinstance(job, Keyed):
            raise UsageError(
                f"dedupe=function: {type(job).__name__} does not know which genomes are the same function; "
                "set dedupe=string or dedupe=none"
            )
        _check_needs("dedupe=function with job", config["job"], job.key_needs, space, allowed, folders)
    parts = Parts(config, space, strategy, objectives, recipe, tuple(allowed))
    if trial:
        try_out(space, strategy, config["seed"], allowed)
    parts.fold()
    parts.evaluator(RunDirectory(Path()))
    if config["run"]["name"] is not None:
        check_name(config["run"]["name"])
    expanded(config["run"]["outputs"], "run.outputs")
    return parts


def _check_continues(config: Config, allowed: Sequence[str]) -> None:
    if "trainer" not in inspect.signature(target(config["job"], "job", allowed)).parameters:
        raise UsageError("this strategy hands trained weights on, which only a job that trains has; use job=train, or "
                         "settings of the strategy that hand on none")  # fmt: skip
    if config["window"] > 1:
        raise UsageError("this strategy hands trained weights on from step to step; set window=1")
    if not config["trainer"]["save_state"]:
        raise UsageError("this strategy hands trained weights on; set trainer.save_state=true so that they are kept")


def _check_stages(config: Config, strategy: Any, space: Any) -> None:
    tuned = space.tuned if isinstance(space, Tuning) else {}
    epochs = min(tuned.get("epochs") or [config["trainer"].get("epochs", math.inf)])
    if isinstance(strategy, Staged) and strategy.stages > epochs:
        raise UsageError(
            f"this strategy divides a training into {strategy.stages} stages, of which some would train nothing: there "
            f"are {epochs} epochs; set trainer.epochs to at least {strategy.stages}, or fewer strategy.generations"
        )
    if isinstance(strategy, Rising) and epochs < math.inf:
        rungs = [max(1, round(epochs * fidelity)) for fidelity in strategy.fidelities]
        if len(set(rungs)) < len(rungs):
            raise UsageError(
                f"of {epochs} epochs the rungs of this strategy, which continue each other, have "
                f"{', '.join(map(str, rungs))}, so that some train nothing; raise trainer.epochs"
            )


def _objective(name: str, job: Job[Any], deterministic: bool) -> Objective:
    if name not in job.metrics:
        known = sorted(job.metrics)
        raise UsageError(f"objectives: the job measures no {name}{nearest(name, known)} (known: {', '.join(known)})")
    if name.endswith("_seconds") and deterministic:
        raise UsageError(f"objectives: {name} is a measured time, so the run could not resume exactly; "
                         "set deterministic=false to accept that")  # fmt: skip
    return Objective(name, job.metrics[name])


def _check_needs(
    group: str,
    node: Mapping[str, Any],
    needs: tuple[type, ...],
    space: Any,
    allowed: Sequence[str],
    folders: Sequence[Path],
) -> None:
    lacking = [need for need in needs if not isinstance(space, need)]
    if not lacking:
        return
    able = [name for name, other in spaces(allowed, folders).items() if all(isinstance(other, need) for need in needs)]
    name = str(node["_target_"]).rpartition(".")[2]
    raise UsageError(
        f"{group} {name} needs a space that is {lacking[0].__name__}, which {type(space).__name__} is not; "
        f"spaces that are: {', '.join(able) or 'none'} ({type(space).__name__}: {lack(space, lacking[0])})"
    )


def identity(config: Config) -> dict[str, Json]:
    """The keys on which results depend, flat.

    Keys of LATER are left out while they have its value, so that runs from before them are the same experiment.
    """
    flat: dict[str, Json] = {}

    def walk(node: Any, place: str) -> None:
        if isinstance(node, Mapping) and node:
            for key, value in node.items():
                walk(value, f"{place}.{key}" if place else str(key))
        elif place == "evaluator.threads" or not any(place == key or place.startswith(f"{key}.") for key in NEUTRAL):
            flat[place] = node

    walk(config, "")
    return {key: value for key, value in sorted(flat.items()) if key not in LATER or value != LATER[key]}


def _had(identity: Mapping[str, Json], key: str) -> Json:
    return identity.get(key, LATER.get(key))


def check_identity(run: RunDirectory, config: Config) -> None:
    """Raises RunError with a key-by-key difference when the configuration is not that which the run began with."""
    ours, theirs = identity(config), run.metadata()["identity"]
    changed = [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]
    if changed:
        shown = "; ".join(f"{key}: run has {_had(theirs, key)}, now {_had(ours, key)}" for key in changed[:8])
        raise RunError(f"{run.root} is another experiment ({shown}); use a new --run-dir or the run's own values")


def engine_settings(config: Config, device: str, bf16: bool | None) -> dict[str, Json]:
    """The train job's settings of speed on a type of device, `auto` and null as what they stand for there.

    `bf16` is whether the device has it; None, that this is not known here. Other jobs have no such settings.
    """
    if "in_flight" not in config["job"]:
        return {}
    cuda = device == "cuda"
    meant: dict[str, Json] = {
        "layout": "channels_last",
        "precision": "fp32" if not cuda or bf16 is False else "bf16" if bf16 else "auto",
        "graph": cuda,
        "stack": "by the size of the networks",
    }
    given = {key: config["trainer"].get(key) for key in meant}
    found = {f"trainer.{key}": meant[key] if value in (None, "auto") else value for key, value in given.items()}
    return {**found, "job.in_flight": config["job"]["in_flight"] if cuda else 1}


def chosen(config: Config, environment: Mapping[str, Json]) -> dict[str, Json]:
    """Threads of a worker and settings of the engine, as a run's status shows them."""
    threads = {"evaluator.threads": config["evaluator"].get("threads", 1)}
    return {**threads, **engine_settings(config, str(environment.get("device", "cpu")), None)}


def config_yaml(config: Config) -> str:
    """The resolved configuration as YAML."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(config))


def stored_config(run: RunDirectory) -> Config:
    """The configuration a run was started with. Raises RunError."""
    from omegaconf import OmegaConf
    from yaml import YAMLError

    try:
        config: Any = OmegaConf.to_container(OmegaConf.create(run.config_text()))
        config.setdefault("dedupe", "none")
        check_root(config)
    except (UsageError, YAMLError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise RunError(f"{run.root}/config.yaml is damaged ({reason}); restore it from a copy") from error
    checked: Config = config
    return checked
