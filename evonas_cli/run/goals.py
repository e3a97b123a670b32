"""What a run looks for: objectives, constraints and reward, each on a metric that its job has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evonas_cli.config.compose import Config
from evonas_cli.core.evaluating import Job, Offering, Static
from evonas_cli.core.scalarize import REWARD, Reward
from evonas_cli.core.types import Constraint, Metric, Objective
from evonas_cli.core.wanted import Wanted
from evonas_cli.run import scalarizing
from evonas_cli.run.constraints import constraints
from evonas_cli.run.fit import Asked, objective


@dataclass(frozen=True)
class Goals:
    """`constraints` are all that were stated, `told` those on metrics of results.

    `metrics` are those of the own job's results, the `reward` among them where the run computes one.
    """

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    told: tuple[Constraint, ...]
    metrics: Mapping[str, Metric]
    reward: Reward | None

    @property
    def asked(self) -> Asked:
        """The metrics of the job that the run needs, each after the root key that names it."""
        own = [("objectives", one.name) for one in self.objectives] + [("constraints", one.metric) for one in self.told]
        if self.reward is None:
            return own
        kept = [(key, name) for key, name in own if name != REWARD]
        return [*kept, *(("scalarize", name) for name in self.reward.sources)]


def wanted(config: Config) -> Wanted:
    """The metrics that a configuration names outside of its job."""
    named = [*(config["objectives"] or ()), *scalarizing.named(config["scalarize"])]
    return Wanted(tuple(named), tuple(map(str, config["constraints"])))


def goals_of(config: Config, job: Job[Any]) -> Goals:
    """The goals of a configuration that has objectives. Raises UsageError for what the job cannot serve."""
    deterministic = config["deterministic"]
    metrics, offered = job.metrics, tuple(job.offered) if isinstance(job, Offering) else ()
    static = tuple(job.static_names) if isinstance(job, Static) else ()
    reward = scalarizing.reward(config["scalarize"], metrics, deterministic, offered)
    if reward is not None:
        metrics = {**metrics, REWARD: _metric(reward, metrics)}
    objectives = tuple([objective(name, metrics, deterministic, offered) for name in config["objectives"]])
    limits = constraints(config["constraints"], metrics, static, deterministic, offered)
    return Goals(objectives, limits, tuple([one for one in limits if one.metric in metrics]), metrics, reward)


def _metric(reward: Reward, metrics: Mapping[str, Metric]) -> Metric:
    """The reward is measured where one of its sources is, and lasts where all of those that are measured last."""
    measured = [metrics[name] for name in reward.sources if metrics[name].measured]
    return Metric("max", bool(measured), lasting=bool(measured) and all(one.lasting for one in measured))
