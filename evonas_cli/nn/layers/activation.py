"""Functions of each number for itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from evonas_cli.network.op import Settings, Shape


def relu(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """max(x, 0)."""
    return nn.ReLU()


def gelu(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """x times the normal distribution function of x (Hendrycks and Gimpel, 2016)."""
    return nn.GELU()


def tanh(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The hyperbolic tangent."""
    return nn.Tanh()


def sigmoid(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """1 / (1 + exp(-x))."""
    return nn.Sigmoid()


def identity(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The input itself."""
    return nn.Identity()
