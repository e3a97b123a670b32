"""The shared weights of a supernet and their optimiser: SGD with momentum and a cosine from epoch to epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import cos, pi
from typing import Any

import torch
from torch import Tensor

from evonas_cli.core.errors import UsageError
from evonas_cli.network.relaxed import Relaxed
from evonas_cli.nn.supernet.network import Supernet
from evonas_cli.training.criteria import Criterion
from evonas_cli.training.optimizers import SGD
from evonas_cli.training.trainer import Trainer


@dataclass(frozen=True, kw_only=True)
class WeightSettings:
    """How shared weights are trained: the learning rate falls along half a cosine, epoch by epoch, to its end value."""

    batch_size: int
    learning_rate: float
    learning_rate_end: float
    momentum: float
    weight_decay: float
    clip_norm: float | None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> WeightSettings:
        """From an order. Raises UsageError for keys that are not exactly the fields."""
        names = {field.name for field in fields(cls)}
        if set(given) != names:
            raise UsageError(f"the job supernet: weights has {sorted(given)}, and must have {sorted(names)}")
        return cls(**given)

    def rate(self, epoch: int, epochs: int) -> float:
        """The learning rate of an epoch, counted from 0."""
        span = self.learning_rate - self.learning_rate_end
        return self.learning_rate_end + 0.5 * span * (1.0 + cos(pi * epoch / epochs))


class Weights:
    """The weights of a supernet in training. A parameter without a gradient, of an operation that took no part, stays
    as it is, and so does its momentum."""

    def __init__(
        self, network: Supernet, relaxed: Relaxed, criterion: Criterion, settings: WeightSettings, trainer: Trainer
    ) -> None:
        """`trainer` gives what the settings do not speak of, such as label smoothing."""
        self.network, self.relaxed, self.settings, self._criterion = network, relaxed, settings, criterion
        self.trainer = trainer.override(
            {
                "optimizer": "sgd",
                "learning_rate": settings.learning_rate,
                "momentum": settings.momentum,
                "nesterov": False,
                "weight_decay": settings.weight_decay,
                "decoupled": False,
                "clip_norm": settings.clip_norm,
            }
        )
        self.parameters = list(network.parameters())
        self.optimizer = SGD(self.parameters, [self.trainer])

    def momenta(self) -> list[Tensor]:
        """The momentum of each weight times its factor, as the next step has it; zeros without momentum."""
        memory = self.optimizer.memory(0)
        return [
            self.settings.momentum * memory[number]["momentum_buffer"].view_as(weight)
            if number in memory
            else torch.zeros_like(weight)
            for number, weight in enumerate(self.parameters)
        ]

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean training loss of a batch."""
        return self._criterion.losses(outputs[None], targets, self.trainer.label_smoothing).mean()

    def gradients(self, loss: Tensor) -> list[Tensor | None]:
        """Those of all weights; None for weights that took no part."""
        return list(torch.autograd.grad(loss, self.parameters, allow_unused=True))

    def update(self, gradients: Sequence[Tensor | None], rate: float) -> None:
        """One step of SGD."""
        aligned = [
            None if g is None else torch.empty_like(w).copy_(g) for g, w in zip(gradients, self.parameters, strict=True)
        ]
        self.optimizer.step(aligned, torch.tensor([rate], device=self.parameters[0].device))
