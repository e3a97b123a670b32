"""Sums, products and concatenations of several values."""

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


class Join(nn.Module):
    """Sequences one after the other in time."""

    def forward(self, *xs: Tensor) -> Tensor:
        return torch.cat(xs, 2)


class Multiply(nn.Module):
    """The product of a map and a pixel of as many channels."""

    def forward(self, x: Tensor, pixel: Tensor) -> Tensor:
        return x * pixel


def add(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The sum of the inputs."""
    return Add()


def concat(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The inputs one after the other."""
    return Concat()


def join(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The sequences one after the other in time."""
    return Join()


def multiply(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The first input times the pixel that is the second one."""
    return Multiply()
