"""What the tests of gradient descent share: settings, a part of a data set, weights by member."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evonas_cli.network.neurons import Neurons
from evonas_cli.network.task import Task
from evonas_cli.training.neurons.columns import Part
from evonas_cli.training.neurons.descent import Trained, descend
from evonas_cli.training.neurons.heads import Binary
from evonas_cli.training.neurons.settings import Descent

TASK = Task((2,), 2)
SETTINGS: dict[str, Any] = {
    "steps": 30,
    "optimizer": "rmsprop",
    "learning_rate": 0.01,
    "batch": 10,
    "weight_decay": 0.001,
    "clip": 5.0,
    "weight_limit": 50.0,
    "check_every": 10,
}


def descent(**changes: Any) -> Descent:
    return Descent(**{**SETTINGS, **changes})


def xor(count: int = 50, device: str = "cpu") -> Part:
    rng = Random(1)
    x = np.array([[rng.uniform(-3, 3) for _ in range(2)] for _ in range(count)], dtype=np.float32)
    return Part(x, (x[:, 0] > 0) != (x[:, 1] > 0), TASK, torch.device(device))


def initial(population: Sequence[Neurons]) -> Tensor:
    weights = [weight for neurons in population for weight in neurons.weights]
    return torch.tensor(weights, dtype=torch.float32)


def train(
    population: Sequence[Neurons], part: Part, settings: Descent, limits: Sequence[int] | None = None, seed: int = 0
) -> Trained:
    limits = [settings.steps] * len(population) if limits is None else limits
    return descend(population, limits, initial(population).to(part.device), settings, Binary(), part, seed)


def apart(population: Sequence[Neurons], weights: Tensor) -> tuple[Tensor, ...]:
    """The weights of each member."""
    return weights.split([neurons.parameters for neurons in population])
