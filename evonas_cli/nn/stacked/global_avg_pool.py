"""Means over the maps of P members."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from evonas_cli.network.op import Shape
from evonas_cli.nn.stacked.form import Layers, split


class GlobalAvgPool(nn.Module):
    """(batch, P x C, H, W) to (P, batch, C)."""

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.width = len(parts)

    def forward(self, x: Tensor) -> Tensor:
        return split(x.mean((2, 3)), 1, self.width).transpose(0, 1)
