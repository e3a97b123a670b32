"""Short trials of how networks train fastest on a device: layout, precision, and how many of them side by side."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import inf, isfinite
from time import perf_counter
from typing import NamedTuple

import torch

from evonas_cli.core.types import Json
from evonas_cli.data.resident import Resident
from evonas_cli.network.plan import Plan
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.batches.batches import Counted
from evonas_cli.training.device.errors import is_out_of_memory, is_refused
from evonas_cli.training.optimizers import OPTIMIZERS, Optimizer
from evonas_cli.training.steps import Steps, memory_format
from evonas_cli.training.trainer import Trainer

WIDTHS = {"cpu": (1, 4, 8, 20), "cuda": (1, 4, 16, 32, 64)}
"""Members side by side that are tried, by type of device."""
ROUNDS = 3
TRUST = 0.05
"""Largest relative difference of training losses at which a coarser precision passes for the same training."""
PARITY_STEPS = 40


class Way(NamedTuple):
    """Settings of the trainer, and members side by side."""

    layout: str
    precision: str
    graph: bool | None
    width: int


@dataclass(frozen=True)
class Trial:
    """A way to train, its speed in samples a second (all members together), and how far its losses are from fp32's."""

    way: Way
    samples_per_second: float
    loss_difference: float

    @property
    def trusted(self) -> bool:
        """Whether it trains as fp32 does."""
        return self.loss_difference <= TRUST

    def to_json(self, several: bool) -> dict[str, Json]:
        """The settings as overrides, with the width if there are several members; speed; how far to be trusted."""
        way = self.way
        return {
            "overrides": [f"trainer.layout={way.layout}", f"trainer.precision={way.precision}"]
            + (["trainer.graph=false"] if way.graph is False else [])
            + ([f"trainer.stack={way.width}"] if several else []),
            "samples_per_second": self.samples_per_second,
            "trusted": self.trusted,
            "loss_difference": self.loss_difference,
        }


class _Training:
    """A population that is trained a few batches at a time."""

    def __init__(self, plan: Plan, trainer: Trainer, width: int, data: Resident, seed: int) -> None:
        networks = [Network(plan, torch.Generator().manual_seed(seed + place)) for place in range(width)]
        self.width = width
        self.population = Population(networks).to(data.device)
        self.population.to(memory_format=memory_format(trainer))
        self.optimizer: Optimizer = OPTIMIZERS[trainer.optimizer](list(self.population.parameters()), [trainer] * width)
        self.steps = Steps(self.population, data, trainer, self.optimizer, seed)
        self.rate, self.most = trainer.learning_rate, data.n_train // self.steps.size

    def train(self, steps: int) -> tuple[float, float]:
        """Samples a second, and the first member's mean loss."""
        rates = [[self.rate] * self.width] * min(steps, self.most)
        started = perf_counter()
        losses = self.steps.epoch(rates, 0)
        return self.width * self.steps.size * len(rates) / (perf_counter() - started), losses[0]


def probe(
    plans: Sequence[Plan], trainer: Trainer, data: Resident, widths: Sequence[int], bf16: bool, seconds: float
) -> list[Trial]:
    """A trial for every layout, precision and width, on CUDA devices with and without a recorded step, the fastest
    first; rates are medians over interleaved rounds.

    What the trainer names is not tried otherwise. Each trial trains every plan for about `seconds` in all, several
    plans one after the other.
    """
    options = _options(trainer, data, widths, bf16)
    precisions = {way.precision for way in options}
    rates: dict[Way, list[float]] = {option: [] for option in options}
    differences: dict[str, list[float]] = {"fp32": [], "bf16": []}
    for plan in plans:
        found = dict(_measure(plan, trainer, data, options, seconds / ROUNDS / len(plans)))
        for option, measured in found.items():
            rates[option].append(measured)
        for precision in differences:
            tried = precision in precisions and len(precisions) > 1
            differences[precision].append(_difference(plan, trainer, data, precision) if tried else 0.0)
    trials = [
        Trial(way, len(plans) / sum(1 / rate for rate in rates[way]), max(differences[way.precision]))
        for way in options
        if all(rates[way])
    ]
    return sorted(trials, key=lambda trial: -trial.samples_per_second)


def _options(trainer: Trainer, data: Resident, widths: Sequence[int], bf16: bool) -> list[Way]:
    layouts = ("channels_last", "contiguous") if trainer.layout == "auto" else (trainer.layout,)
    precisions = ("fp32", "bf16") if bf16 else ("fp32",)
    precisions = precisions if trainer.precision == "auto" else (trainer.precision,)
    recordable = trainer.graph is None and data.device.type == "cuda" and Counted.can(data)
    graphs = (None, False) if recordable else (trainer.graph,)
    widths = widths if trainer.stack is None else (trainer.stack,)
    return [Way(*settings) for settings in product(layouts, precisions, graphs, widths)]


def _measure(
    plan: Plan, trainer: Trainer, data: Resident, options: Sequence[Way], seconds: float
) -> Iterator[tuple[Way, float]]:
    found: dict[Way, list[float]] = {way: [] for way in options}
    for turn in range(ROUNDS):
        for way in options if turn % 2 == 0 else options[::-1]:
            settings = replace(trainer, layout=way.layout, precision=way.precision, graph=way.graph)
            found[way].append(_rate(plan, settings, way.width, data, seconds))
    for way, rates in found.items():
        yield way, statistics.median(rates)


def _rate(plan: Plan, trainer: Trainer, width: int, data: Resident, seconds: float) -> float:
    """Samples a second; 0 where memory does not suffice, or so many numbers are too many for a kernel."""
    try:
        trained = _Training(plan, trainer, width, data, 0)
        trained.train(2)
        rate, _ = trained.train(2)
        return trained.train(max(2, int(seconds * rate / (width * trained.steps.size))))[0]
    except Exception as error:
        if is_out_of_memory(error) or is_refused(error):
            return 0.0
        raise


def _difference(plan: Plan, trainer: Trainer, data: Resident, precision: str) -> float:
    if precision == "fp32":
        return 0.0
    losses = [
        _Training(plan, replace(trainer, precision=kind), 1, data, 0).train(PARITY_STEPS)[1]
        for kind in ("fp32", precision)
    ]
    difference = abs(losses[1] - losses[0]) / max(abs(losses[0]), 1e-9)
    return difference if isfinite(difference) else inf
