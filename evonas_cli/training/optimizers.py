"""Optimisers by name, in their fused form, and decoupled weight decay for SGD (Loshchilov & Hutter, 2019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import nn
from torch.optim import Optimizer

if TYPE_CHECKING:
    from evonas_cli.training.trainer import Trainer

Make: TypeAlias = Callable[[nn.Module, "Trainer"], Optimizer]

ADAM_BETA2 = 0.999


def sgd(network: nn.Module, trainer: Trainer) -> Optimizer:
    """Stochastic gradient descent; with `decoupled` the decay is left to `shrink`."""
    return torch.optim.SGD(
        network.parameters(),
        lr=trainer.learning_rate,
        momentum=trainer.momentum,
        nesterov=trainer.nesterov,
        weight_decay=0.0 if trainer.decoupled else trainer.weight_decay,
        fused=True,
    )


def adamw(network: nn.Module, trainer: Trainer) -> Optimizer:
    """AdamW; its weight decay is always decoupled."""
    return torch.optim.AdamW(
        network.parameters(),
        lr=trainer.learning_rate,
        betas=(trainer.momentum, ADAM_BETA2),
        weight_decay=trainer.weight_decay,
        fused=True,
    )


OPTIMIZERS: Mapping[str, Make] = {"sgd": sgd, "adamw": adamw}


def step(optimizer: Optimizer, trainer: Trainer, learning_rate: float) -> None:
    """One update with the gradients at hand: clip, shrink, step, and forget the gradients."""
    parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    if trainer.clip_norm is not None:
        nn.utils.clip_grad_norm_(parameters, trainer.clip_norm)
    if trainer.decoupled and trainer.optimizer == "sgd":
        shrink(parameters, 1.0 - learning_rate * trainer.weight_decay)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


@torch.no_grad()
def shrink(parameters: list[nn.Parameter], ratio: float) -> None:
    """Decoupled weight decay by hand: every parameter times `ratio` = 1 - learning rate x weight decay."""
    for parameter in parameters:
        parameter.mul_(ratio)
