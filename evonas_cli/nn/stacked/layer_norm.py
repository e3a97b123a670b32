"""Layer normalisations of P members: one normalisation, and a scale and an offset of each member."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.network.op import Shape
from evonas_cli.nn.stacked.form import Layers, joined, split


class LayerNorm(nn.Module):
    """The features of vectors, or the channels of each position, per member."""

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.width, self.spread, self.vectors = len(parts), spread[0], len(shapes[0]) == 1
        self.weight, self.bias = joined(parts, "weight"), joined(parts, "bias")

    def forward(self, x: Tensor) -> Tensor:
        scale, offset = split(self.weight, 0, self.width), split(self.bias, 0, self.width)
        if self.vectors:
            return _normal(x) * scale.unsqueeze(1) + offset.unsqueeze(1)
        members = split(x, 1, self.width if self.spread else 1).movedim(2, -1)
        shape = (self.width, *[1] * (x.dim() - 2), -1)
        return (_normal(members) * scale.view(shape) + offset.view(shape)).movedim(-1, 2).flatten(1, 2)


def _normal(x: Tensor) -> Tensor:
    """Mean 0 and variance 1 over the last dimension."""
    return F.layer_norm(x, x.shape[-1:])
