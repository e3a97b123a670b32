"""Positions of P members' sequences: the same sines for all, or learned columns of each member."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from evonas_cli.network.op import Shape
from evonas_cli.nn.layers.positions import sinusoids
from evonas_cli.nn.stacked.form import Layers, joined, repeated


class SinusoidalPositions(nn.Module):
    """(batch, P x channels, length) plus sines and cosines of the positions."""

    table: Tensor

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.register_buffer("table", sinusoids(*shapes[0]).repeat(len(parts), 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table


class LearnedPositions(nn.Module):
    """(batch, P x channels, length), or one sequence for all members, plus the columns of each member."""

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.width, self.spread, self.weight = len(parts), spread[0], joined(parts, "weight")

    def forward(self, x: Tensor) -> Tensor:
        return (x if self.spread else repeated(x, self.width, False)) + self.weight
