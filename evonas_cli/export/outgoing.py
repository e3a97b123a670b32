"""A trained candidate on its way out: the network with its weights, and the module that takes raw numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from evonas_cli.network.plan import Plan
from evonas_cli.network.signature import Signature
from evonas_cli.nn.build import Network

Model: TypeAlias = Callable[[Tensor], Tensor]
"""From raw numbers, (batch, *inputs), to outputs as `Deployed` has them."""


class Deployed(nn.Module):
    """A network between raw numbers and answers in their own unit.

    Inputs are on the scale of the data set (images of bytes: 0 to 255), or token ids; the normalisation is part of the
    module. Outputs are scores of classes or labels, float32, or numbers in the unit of the targets, float64.
    """

    mean: Tensor
    std: Tensor
    target_mean: Tensor
    target_std: Tensor

    def __init__(self, network: Network, signature: Signature) -> None:
        super().__init__()
        self.network = network
        self.numbers, self.normalises = signature.task.kind == "numbers", normalises(signature)
        shape = (-1, *(1 for _ in signature.task.inputs[1:]))
        if self.normalises:
            self.register_buffer("mean", torch.tensor(signature.mean, dtype=torch.float32).view(shape))
            self.register_buffer("std", torch.tensor(signature.std, dtype=torch.float32).view(shape))
        if self.numbers:
            self.register_buffer("target_mean", torch.tensor(signature.target_mean, dtype=torch.float64))
            self.register_buffer("target_std", torch.tensor(signature.target_std, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, *inputs) to (batch, outputs)."""
        outputs: Tensor = self.network((x - self.mean) / self.std if self.normalises else x)
        return outputs.double() * self.target_std + self.target_mean if self.numbers else outputs


def normalises(signature: Signature) -> bool:
    """Whether mean and deviation change the inputs at all."""
    return any(signature.mean) or any(std != 1 for std in signature.std)


def example(signature: Signature, batch: int) -> Tensor:
    """Zeros of the type and shape of `batch` inputs."""
    kind = torch.int64 if signature.task.vocabulary else torch.float32
    return torch.zeros(batch, *signature.task.inputs, dtype=kind)


@dataclass(frozen=True)
class Outgoing:
    """A candidate that is exported.

    `title` says in a few words what it is; `weights` are those of a `Network` of the plan, by name.
    """

    title: str
    plan: Plan
    signature: Signature
    weights: Mapping[str, Any]

    @cached_property
    def deployed(self) -> Deployed:
        """The module with its weights, on the CPU, in evaluation mode. Raises RuntimeError for weights that do not
        fit."""
        network = Network(self.plan, torch.Generator())
        network.load_state_dict(dict(self.weights))
        return Deployed(network, self.signature).eval()

    @property
    def buffers(self) -> dict[str, Tensor]:
        """What normalises inputs and scales outputs, by its name in `Deployed`."""
        return {name: tensor for name, tensor in self.deployed.named_buffers(recurse=False)}
