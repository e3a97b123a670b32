"""Ablation: the network and the network without each of its parts, trained alike, and how much worse it gets.

The trainings differ in nothing but the network: the settings of the candidate's own, new initial weights, the same
seeds for all networks. Differences of the means have Welch's 95 % interval (1947), each by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, variance
from typing import Any

from evonas_cli.core.errors import EvonasError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.nowhere import Nowhere
from evonas_cli.core.rng import derive
from evonas_cli.core.types import Candidate, Json, Proposal, Result
from evonas_cli.explain.parts import Parts, named
from evonas_cli.explain.subject import Subject
from evonas_cli.jobs.stacks import Machine, units
from evonas_cli.network.metrics import OBJECTIVES, metrics_of
from evonas_cli.network.plan import Plan
from evonas_cli.network.task import Phenotype, Task
from evonas_cli.report.statistics import ALPHA
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.candidates.workbench import Workbench
from evonas_cli.training.trainer import Trainer


@dataclass(frozen=True)
class Ablating:
    """How it is done: so many trainings of each network, with so many epochs (None: the candidate's own)."""

    seeds: int = 3
    epochs: int | None = None


class Plans:
    """A space whose genomes are places in a list of networks, for a bench."""

    def __init__(self, plans: Sequence[Plan], hyper: Mapping[str, Json]) -> None:
        self._plans, self._hyper = plans, hyper

    def decode(self, genome: int, task: Task) -> Phenotype:
        """The network at that place, with the settings that all share."""
        return Phenotype(self._plans[genome], self._hyper)


def trainer_of(subject: Subject, how: Ablating) -> Trainer:
    """The candidate's settings, for trainings of which nothing is kept."""
    trainer: Trainer = subject.equipment.trainer.override(subject.phenotype.hyper)
    epochs = how.epochs or trainer.epochs
    warmup = min(trainer.warmup, epochs)
    return replace(trainer, epochs=epochs, warmup=warmup, save_state=False, checkpoint_seconds=None)


def foreseen(subject: Subject, parts: Parts, how: Ablating) -> tuple[int, float | None]:
    """How many trainings there are, and how many seconds they take by the candidate's own training and the networks'
    multiply-adds (None: the run has not measured it)."""
    count = (1 + len(parts.parts)) * how.seeds
    own, entry = trainer_of(subject, how), subject.entry
    seconds, epochs = entry["metrics"].get("train_seconds"), entry["metrics"].get("epochs")
    if not seconds or not epochs:
        return count, None
    plans = [subject.outgoing.plan, *[part.plan for part in parts.parts]]
    share = sum(plan.multiply_adds for plan in plans) / max(1, subject.outgoing.plan.multiply_adds)
    return count, seconds / epochs * own.epochs * share * how.seeds


def ablation(subject: Subject, parts: Parts, how: Ablating) -> dict[str, Any]:
    """What the trainings gave: `metric` with its `direction`, `epochs` and `seeds`, the `whole` network and each of
    `parts` with values by seed, sizes, the `difference` of means to the whole one (positive: the metric is larger
    without the part), its `interval`, and a `verdict`: needed, harmful, or not told apart."""
    metric = metric_of(subject)
    direction = metrics_of(subject.task.kind, subject.task.outputs)[metric].direction
    plans = [subject.outgoing.plan, *[part.plan for part in parts.parts]]
    values = trained(subject, plans, trainer_of(subject, how), how.seeds, metric)
    rows = []
    for part, own in zip(parts.parts, values[1:], strict=True):
        span = welch(own, values[0])
        rows.append(
            {
                "name": named(part),
                **_sizes(part.plan),
                "values": own,
                "difference": fmean(own) - fmean(values[0]),
                "interval": span,
                "verdict": _verdict(span, direction),
            }
        )
    return {
        "metric": metric,
        "direction": direction,
        "seeds": how.seeds,
        "epochs": trainer_of(subject, how).epochs,
        "searched": subject.entry["metrics"].get(metric),
        "whole": {**_sizes(plans[0]), "values": values[0]},
        "parts": rows,
        "kept": list(parts.kept),
    }


def metric_of(subject: Subject) -> str:
    """The run's first objective if it is one of the validation part, else the usual one of the data's kind."""
    known = metrics_of(subject.task.kind, subject.task.outputs)
    first = subject.reading.parts.objectives[0].name
    return first if first in known else OBJECTIVES[subject.task.kind]


def trained(subject: Subject, plans: Sequence[Plan], trainer: Trainer, seeds: int, metric: str) -> list[list[float]]:
    """The metric of each network by seed. Raises EvonasError where a training fails."""
    own = subject.equipment
    space = Plans(plans, {})
    equipment: Equipment[Any, Any] = Equipment(
        space, own.dataset, trainer, own.seed, own.device, own.deterministic, own.threads
    )
    bench = Workbench(equipment.at(Place()))
    asked = [
        Candidate(place * seeds + k, 0, derive(own.seed, "explain", k), Proposal(place, operator="ablation"))
        for place in range(len(plans))
        for k in range(seeds)
    ]
    machine = Machine.of(bench.environment())
    found: dict[int, Result] = {}
    for unit in units(asked, space, trainer, subject.task, machine):
        for result in bench.evaluate(unit, Nowhere()):
            if result.error is not None:
                raise EvonasError(
                    f"a training of the ablation failed ({result.error.kind}: {result.error.text}); "
                    "leave it out by --no-ablation"
                )
            found[result.id] = result
    return [[found[place * seeds + k].metrics[metric] for k in range(seeds)] for place in range(len(plans))]


def welch(a: Sequence[float], b: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of mean(a) - mean(b) (Welch, Biometrika, 1947); None with fewer than two values of each, or
    where neither varies."""
    if min(len(a), len(b)) < 2:
        return None
    from scipy import stats

    parts = [variance(one) / len(one) for one in (a, b)]
    if not sum(parts):
        return None
    freedom = sum(parts) ** 2 / sum(part**2 / (len(one) - 1) for part, one in zip(parts, (a, b), strict=True))
    half = float(stats.t.ppf(1 - ALPHA / 2, freedom)) * math.sqrt(sum(parts))
    middle = fmean(a) - fmean(b)
    return middle - half, middle + half


def _verdict(span: tuple[float, float] | None, direction: str) -> str:
    if span is None or span[0] <= 0 <= span[1]:
        return "not told apart"
    return "needed" if (span[0] > 0) == (direction == "min") else "harmful"


def _sizes(plan: Plan) -> dict[str, int]:
    return {"parameters": plan.parameters, "multiply_adds": plan.multiply_adds}
