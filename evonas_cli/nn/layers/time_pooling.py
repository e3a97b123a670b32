"""Reductions of a sequence to one column, with or without the token ids that say what is padding."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evonas_cli.network.op import Settings, Shape
from evonas_cli.nn.layers.embedding import PADDING


class Mask(nn.Module):
    """(batch, channels, length) and token ids (batch, length) to the sequence with zeros at padding."""

    def forward(self, x: Tensor, ids: Tensor) -> Tensor:
        return x.masked_fill((ids == PADDING).unsqueeze(1), 0.0)


class MeanTime(nn.Module):
    """(batch, channels, length) to the mean (batch, channels) over all columns but padding."""

    def forward(self, x: Tensor, ids: Tensor | None = None) -> Tensor:
        if ids is None:
            return x.mean(2)
        padding = (ids == PADDING).unsqueeze(1)
        return x.masked_fill(padding, 0.0).sum(2) / (~padding).sum(2).clamp(min=1)


class MaxTime(nn.Module):
    """(batch, channels, length) to the maximum (batch, channels) over all columns but padding."""

    def forward(self, x: Tensor, ids: Tensor | None = None) -> Tensor:
        if ids is None:
            return x.amax(2)
        padding = (ids == PADDING).unsqueeze(1)
        largest = x.masked_fill(padding, -torch.inf).amax(2)
        return largest.masked_fill(padding.all(2), 0.0)


class LastTime(nn.Module):
    """(batch, channels, length) to the last column (batch, channels) that is no padding."""

    def forward(self, x: Tensor, ids: Tensor | None = None) -> Tensor:
        if ids is None:
            return x[:, :, -1]
        real = ids != PADDING
        last = (real * torch.arange(1, ids.shape[1] + 1, device=ids.device)).amax(1).view(-1, 1, 1)
        column = x.gather(2, (last - 1).clamp(min=0).expand(-1, x.shape[1], 1)).squeeze(2)
        return column.masked_fill(last.squeeze(2) == 0, 0.0)


def mask(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Zeros at padding."""
    return Mask()


def mean_time(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The mean column."""
    return MeanTime()


def max_time(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The largest number of each channel."""
    return MaxTime()


def last_time(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The last column."""
    return LastTime()
