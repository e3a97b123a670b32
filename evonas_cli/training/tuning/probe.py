"""Short trials of how networks train fastest on a device: layout, precision, and how many of them side by side."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
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
from evonas_cli.training.optimizers import Optimizer, optimizer_of
from evonas_cli.training.steps import Steps, memory_format
from evonas_cli.training.trainer import Trainer
from evonas_cli.training.tuning.parity import loss_difference

WIDTHS = {"cpu": (1, 4, 8, 20), "cuda": (1, 4, 16, 32, 64)}
"""Members side by side that are tried, by type of device."""
ROUNDS = 3
HOPELESS = 0.6
"""Share of the best rate below which a way is not tried again after the first round."""
MOST_SECONDS = 60.0
"""Measuring ends after these seconds; rates are then medians over the rounds so far."""
PROGRESS_SECONDS = 5.0

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # shown, though the command shows warnings alone


class Way(NamedTuple):
    """Settings of the trainer, and members side by side."""

    layout: str
    precision: str
    graph: bool | None
    width: int


@dataclass(frozen=True)
class Trial:
    """A way to train, its speed in samples a second (all members together), and how far its final validation losses are
    from those of fp32, as a share of what lies between seeds (`parity.loss_difference`)."""

    way: Way
    samples_per_second: float
    loss_difference: float

    @property
    def trusted(self) -> bool:
        """Whether it trains as fp32 does, as far as seeds let one tell."""
        return self.loss_difference <= 1.0

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
        self.optimizer: Optimizer = optimizer_of(list(self.population.parameters()), [trainer] * width)
        self.steps = Steps(self.population, data, trainer, self.optimizer, seed)
        self.rate, self.most = trainer.learning_rate, data.n_train // self.steps.size

    def train(self, steps: int) -> float:
        """Samples a second."""
        rates = [[self.rate] * self.width] * min(steps, self.most)
        started = perf_counter()
        self.steps.epoch(rates, 0)
        return self.width * self.steps.size * len(rates) / (perf_counter() - started)


def probe(
    plans: Sequence[Plan], trainer: Trainer, data: Resident, widths: Sequence[int], bf16: bool, seconds: float
) -> list[Trial]:
    """A trial for every layout, precision and width, on CUDA devices with and without a recorded step, the fastest
    first; rates are medians over interleaved rounds.

    What the trainer names is not tried otherwise. Each trial trains every plan for about `seconds` in all, several
    plans one after the other; ways far behind the best are tried once only.
    """
    options = _options(trainer, data, widths, bf16)
    several = len({way.precision for way in options}) > 1
    rates = _Rounds(plans, trainer, data, seconds / ROUNDS / len(plans)).measured(options)
    apart = 0.0
    if several:
        log.info("comparing bf16 with fp32: %d short trainings", 2 * len(plans))
        apart = max(loss_difference(plan, trainer, data) for plan in plans)
    trials = [Trial(way, rate, apart if several and way.precision == "bf16" else 0.0) for way, rate in rates.items()]
    return sorted(trials, key=lambda trial: -trial.samples_per_second)


def _options(trainer: Trainer, data: Resident, widths: Sequence[int], bf16: bool) -> list[Way]:
    layouts = ("channels_last", "contiguous") if trainer.layout == "auto" else (trainer.layout,)
    precisions = ("fp32", "bf16") if bf16 else ("fp32",)
    precisions = precisions if trainer.precision == "auto" else (trainer.precision,)
    recordable = trainer.graph is None and data.device.type == "cuda" and Counted.can(data)
    graphs = (None, False) if recordable else (trainer.graph,)
    widths = widths if trainer.stack is None else (trainer.stack,)
    return [Way(*settings) for settings in product(layouts, precisions, graphs, widths)]


class _Rounds:
    """Rates of ways, by turns, so that what else the machine does meets all of them."""

    def __init__(self, plans: Sequence[Plan], trainer: Trainer, data: Resident, seconds: float) -> None:
        self.plans, self.trainer, self.data, self.seconds = plans, trainer, data, seconds
        self.started = self.said = perf_counter()

    def measured(self, options: Sequence[Way]) -> dict[Way, float]:
        """Samples a second of each way that memory and kernels allow: medians over its rounds."""
        found: dict[Way, list[float]] = {way: [] for way in options}
        left = list(options)
        for turn in range(ROUNDS):
            for tried, way in enumerate(left if turn % 2 == 0 else left[::-1]):
                if turn and perf_counter() - self.started > MOST_SECONDS:
                    break
                found[way].append(self._together(way))
                self._tell(turn, tried + 1, len(left))
            best = max((rates[0] for rates in found.values()), default=0.0)
            left = [way for way in left if found[way][0] > HOPELESS * best]
        return {way: rate for way, rates in found.items() if (rate := statistics.median(rates))}

    def _together(self, way: Way) -> float:
        """Samples a second over all plans; 0 where one of them cannot be trained so."""
        settings = replace(self.trainer, layout=way.layout, precision=way.precision, graph=way.graph)
        rates = [_rate(plan, settings, way.width, self.data, self.seconds) for plan in self.plans]
        return len(rates) / sum(1 / rate for rate in rates) if all(rates) else 0.0

    def _tell(self, turn: int, tried: int, of: int) -> None:
        now = perf_counter()
        if now - self.said >= PROGRESS_SECONDS:
            self.said = now
            log.info("round %d of %d: %d of %d ways tried", turn + 1, ROUNDS, tried, of)


def _rate(plan: Plan, trainer: Trainer, width: int, data: Resident, seconds: float) -> float:
    """Samples a second; 0 where memory does not suffice, or so many numbers are too many for a kernel."""
    try:
        trained = _Training(plan, trainer, width, data, 0)
        trained.train(2)
        rate = trained.train(2)
        return trained.train(max(2, int(seconds * rate / (width * trained.steps.size))))
    except Exception as error:
        if is_out_of_memory(error) or is_refused(error):
            return 0.0
        raise
