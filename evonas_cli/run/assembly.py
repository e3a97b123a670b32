"""From a resolved configuration to objects that fit together, and to the identity of the run they make."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from evonas_cli.config import nested
from evonas_cli.config.build import build, target
from evonas_cli.config.compose import Config
from evonas_cli.core.cache import Keys
from evonas_cli.core.demands import honours
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context, Evaluator, Job, Keyed, Static
from evonas_cli.core.files import expanded
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.front import RunFront
from evonas_cli.core.gate import Gate
from evonas_cli.core.halting import StopRequest
from evonas_cli.core.protocols import Particular, Space, Strategy
from evonas_cli.core.scalarize import REWARD, Reward
from evonas_cli.core.searches import Checking
from evonas_cli.core.silence import silenced
from evonas_cli.core.sources import Laid, Resolving
from evonas_cli.core.types import Constraint, Json, Metric, Objective
from evonas_cli.core.wanted import Wanted
from evonas_cli.genomes.capabilities import Suited
from evonas_cli.run.contracts import check_dataset, check_dedupe, check_interfaces, try_out
from evonas_cli.run.fit import check_demands, check_needs, check_test, preferred, stated_reference
from evonas_cli.run.goals import Goals, goals_of, wanted
from evonas_cli.run.inner import bound, recorded, setting_of
from evonas_cli.run.recalling import check_cache
from evonas_cli.run.starting import AUTO, WarmStart, expanded_auto, giving, started, started_by_default
from evonas_cli.store.directory import RunDirectory, check_name

SEVERAL = "evonas_cli.jobs.several.Several"
"""What dispatches candidates to several jobs."""


@dataclass(frozen=True)
class Parts:
    """What a configuration describes, built and checked to fit together.

    `goals` say what the run looks for. `job` is the run's own, together with the further jobs `others` where there are
    any; `honoured` says by job what it honours of a proposal. `reference` is the stated reference point of
    hypervolumes, as losses. `started` is the strategy with the genomes that the run starts from, if it does.
    """

    config: Config
    space: Space[Any]
    strategy: Strategy[Any, Any]
    goals: Goals
    honoured: dict[str, frozenset[str]]
    job: Job[Any]
    others: tuple[Job[Any], ...]
    allowed: tuple[str, ...]
    reference: tuple[float, ...] | None
    started: WarmStart | None = None

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What the front is made of."""
        return self.goals.objectives

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """All constraints that were stated."""
        return self.goals.constraints

    @property
    def told(self) -> tuple[Constraint, ...]:
        """The constraints on metrics of results."""
        return self.goals.told

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Those of the own job's results, the reward among them where the run computes one."""
        return self.goals.metrics

    @property
    def reward(self) -> Reward | None:
        """What is computed of a result's metrics."""
        return self.goals.reward

    @cached_property
    def measured(self) -> frozenset[str]:
        """The metrics of all jobs that repetitions may change."""
        every = [self.metrics, *(other.metrics for other in self.others)]
        return frozenset(name for metrics in every for name, metric in metrics.items() if metric.measured)

    @cached_property
    def spent(self) -> frozenset[str]:
        """Those of them that are 0 in a copy, because they tell of the evaluation."""
        return frozenset(name for name in self.measured if name not in self.metrics or not self.metrics[name].lasting)

    def fold(self, seed: int | None = None) -> Fold[Any]:
        """A fold at its beginning; `seed` in the place of the configured one."""
        config = self.config
        return Fold(
            self.strategy if self.started is None else self.started,
            self.objectives,
            config["seed"] if seed is None else seed,
            config["window"],
            Budget(**config["budget"]),
            self.told,
            self.honoured,
            self.reference,
        )

    def front(self) -> RunFront:
        """The run's front at its beginning, under its own budget.cost."""
        return RunFront(self.objectives, self.told, self.config["budget"]["cost"])

    def gate(self, environment: Mapping[str, Json]) -> Gate[Any]:
        """What refuses candidates before training; `environment` is that of the bench."""
        return Gate(self.job if isinstance(self.job, Static) else None, self.constraints, environment)

    def evaluator(self, context: Context, stop_request: StopRequest | None = None) -> Evaluator[Any]:
        """The configured evaluator, not started; `stop_request` is heeded by those that take it. Raises UsageError."""
        given = {"job": self.job, "context": context, "device": self.config["device"], "stop_request": stop_request}
        evaluator: Evaluator[Any] = build(self.config["evaluator"], "evaluator", self.allowed, **given)
        check_interfaces(evaluator=evaluator)
        return evaluator

    def keys(self, environment: Mapping[str, Json]) -> Keys[Any] | None:
        """What tells equal candidates, if the run evaluates them once; `environment` is that of the bench."""
        how = self.config["dedupe"]
        if how == "none":
            return None
        job: Any = self.job
        return Keys(self.space, job if how == "function" else None, environment)


def job_of(config: Config, allowed: Sequence[str] = ()) -> Job[Any]:
    """Builds the run's job, together with further ones where `jobs` has any."""
    own, others = _job(config, config["job"], allowed, wanted(config)), further_jobs(config, allowed)
    if not others:
        return own
    job: Job[Any] = build({"_target_": SEVERAL}, "job", own=own, others=others)
    return job


def further_jobs(config: Config, allowed: Sequence[str] = ()) -> dict[str, Job[Any]]:
    """The further jobs by name. Raises UsageError."""
    found = {}
    for name, node in config["jobs"].items():
        try:
            found[name] = _job(config, node, allowed, Wanted())
            check_interfaces(job=found[name])
        except UsageError as error:
            raise UsageError(f"jobs.{name}: {error}") from error
    return found


def _job(config: Config, node: Mapping[str, Any], allowed: Sequence[str], wanted: Wanted) -> Job[Any]:
    """A job with those collaborators that its constructor names."""
    named = inspect.signature(target(node, "job", allowed)).parameters
    collaborators: dict[str, Any] = {
        "seed": config["seed"],
        "device": config["device"],
        "deterministic": config["deterministic"],
        "threads": config["evaluator"].get("threads", 1),
        "wanted": wanted,
    }
    for group in ("space", "dataset", "trainer"):
        if group in named:
            # The run makes a space of its own, whose warnings are shown: once is enough.
            with silenced(logging.WARNING) if group == "space" else nullcontext():
                collaborators[group] = build(config[group], group, allowed)
    if "dataset" in collaborators:
        check_dataset(collaborators["dataset"])
    inner = setting_of(target(node, "job", allowed))
    if inner is not None:
        node, collaborators[inner] = bound(config, node, inner, allowed)
    job: Job[Any] = build(node, "job", allowed, **collaborators)
    return job


def resolved(config: Config, allowed: Sequence[str] = ()) -> Config:
    """The configuration with the settings of data set and space that are `auto` as what they stand for.

    Only a data set that is Resolving is asked, and only where the job has one, then a space that is Suited. Raises
    UsageError for data that is not there or has two readings.
    """
    if not _has_dataset(config, allowed):
        return config
    dataset = build(config["dataset"], "dataset", allowed)
    if isinstance(dataset, Resolving):
        found = {key: value for key, value in dataset.resolved().items() if config["dataset"].get(key) == "auto"}
        config = {**config, "dataset": {**config["dataset"], **found}} if found else config
    if "auto" not in config["space"].values():
        return config
    space, dataset = build(config["space"], "space", allowed), build(config["dataset"], "dataset", allowed)
    if not (isinstance(space, Suited) and isinstance(dataset, Laid)):
        return config
    suited = {key: value for key, value in space.suited(dataset.layout).items() if config["space"].get(key) == "auto"}
    return {**config, "space": {**config["space"], **suited}}


def assemble(config: Config, allowed: Sequence[str] = (), folders: Sequence[Path] = (), trial: bool = True) -> Parts:
    """Builds everything that needs no device and no reading of all data; with `trial` parts of users are tried out.

    The configuration of the parts has values where the given one has `auto` settings of the data set, or no objectives.
    Raises UsageError for parts that do not fit, or do not keep to their interfaces.
    """
    if _has_dataset(config, allowed):
        config = {**config, "dataset": _expanded(config, "dataset", allowed, folders)}
    config = resolved(config, allowed) if trial else config
    config = {**config, **{group: _expanded(config, group, allowed, folders) for group in ("space", "strategy")}}
    config = recorded(config, allowed, folders)
    space = build(config["space"], "space", allowed)
    by_default = config["start_from"] == AUTO
    config = expanded_auto(config, space, allowed)
    giver, left = giving(space) if config["start_from"] is not None else (space, [])
    strategy = build(config["strategy"], "strategy", allowed, space=giver)
    job = job_of(config, tuple(allowed))
    check_interfaces(space=space, strategy=strategy, job=job)
    check_needs("strategy", config["strategy"], strategy.demands.space, space, allowed, folders)
    check_needs("job", config["job"], job.needs, space, allowed, folders)
    check_test(strategy, job)
    if config["objectives"] is None:
        config = {**config, "objectives": [REWARD] if config["scalarize"] is not None else preferred(job)}
    goals = goals_of(config, job)
    others = further_jobs(config, allowed)
    _check_goals(config, strategy, job, others, goals)
    if config["dedupe"] == "function":
        _check_keyed(config, job, space, allowed, folders)
    honoured = {"": honours(job), **{name: honours(other) for name, other in others.items()}}
    point = stated_reference(config["reference"], goals.objectives)
    begun: WarmStart | None = None
    if config["start_from"] is not None and by_default:
        config, begun = started_by_default(config, space, strategy, left)
    elif config["start_from"] is not None:
        config, begun = started(config, space, strategy, goals.objectives, left)
    rest = tuple(others.values()), tuple(allowed)
    parts = Parts(config, space, strategy, goals, honoured, job, *rest, point, begun)
    if trial:
        try_out(space, strategy, config["seed"], allowed)
        if isinstance(job, Checking):
            job.check_settings()
    check_cache(parts)
    parts.fold()
    parts.evaluator(RunDirectory(Path()))
    if config["run"]["name"] is not None:
        check_name(config["run"]["name"])
    expanded(config["run"]["outputs"], "run.outputs")
    return parts


def _check_goals(config: Config, strategy: Any, job: Job[Any], others: Mapping[str, Any], goals: Goals) -> None:
    """Raises UsageError where budget, objectives, jobs or repeated genomes do not go with strategy and job."""
    if config["budget"]["cost"] is not None and "cost" not in job.metrics:
        raise UsageError("budget.cost is set but this job measures no cost; use budget.evaluations")
    if isinstance(strategy, Particular):
        strategy.check_objectives(goals.objectives)
    check_demands(config, strategy, job, others)
    if config["dedupe"] != "none":
        check_dedupe(config["dedupe"], strategy, goals.metrics, goals.asked)


def _expanded(config: Config, group: str, allowed: Sequence[str], folders: Sequence[Path]) -> dict[str, Any]:
    """A group's node with whole nodes of the parts that are settings of it."""
    return nested.expanded(config[group], target(config[group], group, allowed), folders, group)


def _has_dataset(config: Config, allowed: Sequence[str]) -> bool:
    """Whether the run's own job has a data set."""
    return "dataset" in inspect.signature(target(config["job"], "job", allowed)).parameters


def _check_keyed(
    config: Config, job: Job[Any], space: Space[Any], allowed: Sequence[str], folders: Sequence[Path]
) -> None:
    """Raises UsageError where the job cannot tell that two genomes are one function."""
    if not isinstance(job, Keyed):
        raise UsageError(
            f"dedupe=function: {type(job).__name__} does not know which genomes are the same function; "
            "set dedupe=string or dedupe=none"
        )
    check_needs("dedupe=function with job", config["job"], job.key_needs, space, allowed, folders)
