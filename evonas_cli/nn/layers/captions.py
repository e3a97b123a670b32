"""Layers of networks that describe images (network/caption_ops.py): the parts of what they read, and columns."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evonas_cli.network.caption_ops import SIDES
from evonas_cli.network.op import Settings, Shape


class Picture(nn.Module):
    """The first numbers of vectors (batch, numbers) as images (batch, channels, height, width)."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.shape = channels, height, width

    def forward(self, x: Tensor) -> Tensor:
        channels, height, width = self.shape
        return x[:, : channels * height * width].reshape(-1, channels, height, width)


class Words(nn.Module):
    """The last `length` numbers of vectors (batch, numbers) as token ids (batch, length), int64."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def forward(self, x: Tensor) -> Tensor:
        return x[:, -self.length :].round().long()


class Repeat(nn.Module):
    """(batch, features) to (batch, features, length): each column is the vector."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(2).repeat(1, 1, self.length)


class Later(nn.Module):
    """(batch, channels, length) without its first columns."""

    def __init__(self, skipped: int) -> None:
        super().__init__()
        self.skipped = skipped

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, self.skipped :]


def picture(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> Picture:
    """(batch, numbers) to (batch, channels, height, width)."""
    return Picture(*[settings[side] for side in SIDES])


def words(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> Words:
    """(batch, numbers) to (batch, length)."""
    return Words(settings["length"])


def repeat(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> Repeat:
    """(batch, features) to (batch, features, length)."""
    return Repeat(settings["length"])


def later(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> Later:
    """(batch, channels, length) to (batch, channels, length - skipped)."""
    return Later(settings["skipped"])
