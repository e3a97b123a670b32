"""Maps and sequences of P members as vectors."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from evonas_cli.network.op import Shape
from evonas_cli.nn.stacked.form import Layers, split


class Flatten(nn.Module):
    """(batch, P x C, ...) to (P, batch, C x ...), in the order that one member's flattening has."""

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.width, self.vectors = len(parts), len(shapes[0]) == 1

    def forward(self, x: Tensor) -> Tensor:
        return x if self.vectors else split(x, 1, self.width).transpose(0, 1).flatten(2)
