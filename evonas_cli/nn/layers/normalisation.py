"""Batch normalisation (Ioffe and Szegedy, ICML 2015) and layer normalisation (Ba et al., 2016)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.network.op import Settings, Shape


class LayerNorm(nn.Module):
    """Mean 0 and variance 1 over dimension 1, the features or channels of each position, then scale and offset."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(size)), nn.Parameter(torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        last = x.movedim(1, -1)
        return F.layer_norm(last, self.weight.shape, self.weight, self.bias).movedim(-1, 1)


def batch_norm(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Batch normalisation of a map, a sequence or a vector, with trainable scale (1 at first) and offset (0)."""
    return nn.BatchNorm2d(shapes[0][0]) if len(shapes[0]) == 3 else nn.BatchNorm1d(shapes[0][0])


def layer_norm(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Layer normalisation of a vector's features, or of a sequence's or map's channels at each position."""
    return LayerNorm(shapes[0][0])
