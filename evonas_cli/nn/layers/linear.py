"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import torch
from torch import nn

from evonas_cli.network.op import Settings, Shape
from evonas_cli.nn.layers.allocation import allocated


def linear(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """(batch, features) to (batch, `features` of the settings)."""
    return drawn_linear(shapes[0][0], settings["features"], bool(settings["bias"]), generator)


def drawn_linear(given: int, made: int, bias: bool, generator: torch.Generator) -> nn.Linear:
    """A linear layer with weights from the generator."""
    layer = allocated(nn.Linear(given, made, bias=bias, device="meta"))
    bound = 1 / sqrt(given)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        if layer.bias is not None:
            layer.bias.zero_()
    return layer
