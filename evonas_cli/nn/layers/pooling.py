"""Pools of maps and of sequences."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evonas_cli.network.op import Settings, Shape


class GlobalAvgPool(nn.Module):
    """Mean over height and width: (batch, channels, height, width) to (batch, channels)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


class GlobalMax(nn.Module):
    """Maximum over height and width: (batch, channels, height, width) to (batch, channels, 1, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amax((2, 3), keepdim=True)


def max_pool(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Maximum over windows; padding never wins."""
    return nn.MaxPool2d(settings["kernel"], settings["stride"], settings["padding"])


def avg_pool(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Mean over windows; padding does not count."""
    return nn.AvgPool2d(settings["kernel"], settings["stride"], settings["padding"], count_include_pad=False)


def global_avg_pool(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Mean over the whole map."""
    return GlobalAvgPool()


def global_max(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Maximum over the whole map."""
    return GlobalMax()


def max_pool1d(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """As `max_pool`, over the length."""
    return nn.MaxPool1d(settings["kernel"], settings["stride"], settings["padding"])


def avg_pool1d(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """As `avg_pool`, over the length."""
    return nn.AvgPool1d(settings["kernel"], settings["stride"], settings["padding"], count_include_pad=False)
