"""Sums and concatenations of several values."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evonas_cli.network.op import Settings, Shape


class Add(nn.Module):
    """Sum of any number of tensors of the same shape."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        total = first
        for other in others:
            total = total + other
        return total


class Concat(nn.Module):
    """Concatenation along channels or features."""

    def forward(self, *xs: Tensor) -> Tensor:
        return torch.cat(xs, 1)


def add(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The sum of the inputs."""
    return Add()


def concat(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The inputs one after the other."""
    return Concat()
