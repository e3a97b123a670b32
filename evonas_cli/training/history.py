"""What a training remembers of its validated epochs: the learning curve, and the state of the best of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from evonas_cli.network.metrics import METRICS, OBJECTIVES
from evonas_cli.network.task import Kind
from evonas_cli.training.exercise import Weights
from evonas_cli.training.optimizers import Memory

Point: TypeAlias = tuple[int, float, Mapping[str, float]]
"""Epochs done, the mean training loss of the last of them, and the metrics after it: none where one is not finite."""


@dataclass(frozen=True, slots=True)
class Best:
    """The member after the epoch with the best validation so far: epochs done, the mean training loss of the last of
    them, the metrics, the weights, and what the optimiser remembered."""

    epoch: int
    train_loss: float
    metrics: Mapping[str, float]
    model: Weights
    memory: Memory


def columns(points: Sequence[Point]) -> dict[str, list[float | None]]:
    """The points as columns by name, a row for each; None for metrics that a point does not have.

    >>> columns([(1, 2.1, {"valid_error": 0.8}), (2, 1.6, {})])
    {'epoch': [1, 2], 'train_loss': [2.1, 1.6], 'valid_error': [0.8, None]}
    """
    if not points:
        return {}
    names = dict.fromkeys(name for _, _, metrics in points for name in metrics)
    found: dict[str, list[float | None]] = {
        "epoch": [epoch for epoch, _, _ in points],
        "train_loss": [loss for _, loss, _ in points],
    }
    return found | {name: [metrics.get(name) for _, _, metrics in points] for name in names}


def is_better(metrics: Mapping[str, float], best: Mapping[str, float], kind: Kind) -> bool:
    """Whether the first metrics are better than the second, by what a search of this kind of task optimises.

    >>> is_better({"valid_error": 0.1}, {"valid_error": 0.1}, "classes")
    False
    """
    name = OBJECTIVES[kind]
    first, second = metrics[name], best[name]
    return first < second if METRICS[kind][name].direction == "min" else first > second
