"""Sums, products and concatenations of P members."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evonas_cli.network.op import Shape
from evonas_cli.nn.kernels.memory_format import order
from evonas_cli.nn.stacked.form import Layers, repeated, split


class Merge(nn.Module):
    """Sum or concatenation of values of which some are common to the members."""

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape], concat: bool) -> None:
        super().__init__()
        self.width, self.spread, self.concat = len(parts), tuple(spread), concat
        self.vectors = len(shapes[0]) == 1

    def forward(self, *xs: Tensor) -> Tensor:
        pairs = zip(xs, self.spread, strict=True)
        full = [x if own else repeated(x, self.width, self.vectors) for x, own in pairs]
        if not self.concat:
            total = full[0]
            for other in full[1:]:
                total = total + other
            return total
        return torch.cat(full, 2) if self.vectors else self._concatenated(full)

    def _concatenated(self, maps: list[Tensor]) -> Tensor:
        """In the order of the maps, which torch keeps for four dimensions alone."""
        if self.width == 1:
            return torch.cat(maps, 1)
        if maps[0].dim() == 4 and order(maps[0]) == torch.channels_last:
            pixels = [split(x.permute(0, 2, 3, 1), 3, self.width) for x in maps]
            return torch.cat(pixels, 4).flatten(3).permute(0, 3, 1, 2)
        return torch.cat([split(x, 1, self.width) for x in maps], 2).flatten(1, 2)


class Alike(nn.Module):
    """What one member computes of maps or sequences, on values that all are as wide as the members together."""

    def __init__(self, parts: Layers, spread: Sequence[bool]) -> None:
        super().__init__()
        self.width, self.spread, self.member = len(parts), tuple(spread), parts[0]

    def forward(self, *xs: Tensor) -> Tensor:
        pairs = zip(xs, self.spread, strict=True)
        value: Tensor = self.member(*[x if own else repeated(x, self.width, vector=False) for x, own in pairs])
        return value


def add(parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> nn.Module:
    """The sum of the inputs."""
    return Merge(parts, spread, shapes, concat=False)


def concat(parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> nn.Module:
    """The inputs one after the other, for each member."""
    return Merge(parts, spread, shapes, concat=True)


def join(parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> nn.Module:
    """The sequences one after the other in time."""
    return Alike(parts, spread)


def multiply(parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> nn.Module:
    """The first input times the pixel that is the second one."""
    return Alike(parts, spread)
