"""Operations that move numbers, or leave zeros in their place."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from evonas_cli.network.op import Settings, Shape


class Zero(nn.Module):
    """Zeros, of every `stride`-th pixel; no gradient flows through."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x if self.stride == 1 else x[:, :, :: self.stride, :: self.stride])


class Shift(nn.Module):
    """The map moved by one pixel: out[h, w] = in[h + 1, w + 1], zeros in the last row and column."""

    def forward(self, x: Tensor) -> Tensor:
        return pad(x[:, :, 1:, 1:], (0, 1, 0, 1))


class Pad(nn.Module):
    """The map brought to a height and width with zeros below and to the right."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width

    def forward(self, x: Tensor) -> Tensor:
        return pad(x, (0, self.width - x.shape[3], 0, self.height - x.shape[2]))


class Resize(nn.Module):
    """The map brought to a height and width; each pixel is the nearest one of the map."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.size = height, width

    def forward(self, x: Tensor) -> Tensor:
        return interpolate(x, self.size)


class Upsample(nn.Module):
    """Each pixel `factor` x `factor` times; a sum over its copies is the gradient, on every device."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        copies = x[:, :, :, None, :, None].expand(-1, -1, -1, self.factor, -1, self.factor)
        return copies.reshape(batch, channels, height * self.factor, width * self.factor)


def zero(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Zeros in the shape of every `stride`-th pixel."""
    return Zero(settings["stride"])


def shift(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The map moved by one pixel up and to the left."""
    return Shift()


def pad_map(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The map with zeros below and to the right."""
    return Pad(settings["height"], settings["width"])


def resize(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The map brought to a height and width."""
    return Resize(settings["height"], settings["width"])


def upsample(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The map with each pixel several times, in both directions."""
    return Upsample(settings["factor"])


def flatten(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """All numbers of a sample as one vector."""
    return nn.Flatten()


def map_to_sequence(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The pixels of a map as positions of a sequence, row after row."""
    return nn.Flatten(2)
