"""Whether a coarser precision trains as well as float32: final validation losses, paired by seed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from math import ceil, inf, isfinite

import torch

from evonas_cli.data.resident import Resident
from evonas_cli.network.plan import Plan
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.exercise import Diverged
from evonas_cli.training.feed_forward import FeedForward
from evonas_cli.training.schedules import Course, cosine
from evonas_cli.training.trainer import Trainer

SEEDS = 6
"""Trainings of each precision. With six pairs that differ by chance alone one in ten trials distrusts wrongly."""
STEPS = 150
"""Updates of the weights of each, with a cosine schedule: at its end losses scatter little."""


def loss_difference(plan: Plan, trainer: Trainer, data: Resident) -> float:
    """How far bf16 is from fp32: the absolute mean of the paired differences of final validation losses, as a share of
    the standard deviation of fp32's over seeds of the initial weights. Infinite where a training diverges in bf16
    alone; 0 where fp32 diverges, too, so that there is nothing to compare.
    """
    plain, coarse = (_final_losses(plan, replace(trainer, precision=kind), data) for kind in ("fp32", "bf16"))
    if not all(map(isfinite, plain)):
        return 0.0
    if not all(map(isfinite, coarse)):
        return inf
    apart = abs(statistics.fmean(b - a for a, b in zip(plain, coarse, strict=True)))
    between = statistics.stdev(plain)
    return apart / between if between else (inf if apart else 0.0)


def _final_losses(plan: Plan, trainer: Trainer, data: Resident) -> list[float]:
    """The validation loss of each seed after its training; infinite for one that diverged."""
    together = [list(range(SEEDS))] if plan.unstackable is None else [[seed] for seed in range(SEEDS)]
    return [loss for seeds in together for loss in _trained(plan, trainer, data, seeds)]


def _trained(plan: Plan, trainer: Trainer, data: Resident, seeds: Sequence[int]) -> list[float]:
    population = Population([Network(plan, torch.Generator().manual_seed(seed)) for seed in seeds])
    places = range(len(seeds))
    exercise = FeedForward(population, dict.fromkeys(places, trainer), data, 0)
    an_epoch = min(STEPS, exercise.steps_per_epoch)
    course = Course(epochs=ceil(STEPS / an_epoch), steps_per_epoch=an_epoch)
    for epoch in range(course.epochs):
        steps = range(epoch * an_epoch, (epoch + 1) * an_epoch)
        exercise.epoch([[trainer.learning_rate * cosine(step, course)] * len(seeds) for step in steps], epoch)
    outcomes = exercise.validate(places, "valid")
    return [inf if isinstance(outcome, Diverged) else outcome["loss"] for outcome in outcomes.values()]
