"""Self-attention with several heads (Vaswani et al., NeurIPS 2017) over the positions of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import torch
from torch import Tensor, nn

from evonas_cli.network.op import Settings, Shape
from evonas_cli.nn.layers.embedding import PADDING
from evonas_cli.nn.layers.linear import drawn_linear


class Attention(nn.Module):
    """(batch, channels, length) to the same shape; no position sees padding where token ids are given.

    The softmax is written out: torch's fused kernels have gradients on CUDA devices that are not deterministic.
    """

    def __init__(self, projections: nn.Linear, output: nn.Linear, heads: int) -> None:
        super().__init__()
        self.projections, self.output, self.heads = projections, output, heads

    def forward(self, x: Tensor, ids: Tensor | None = None) -> Tensor:
        batch, channels, length = x.shape
        heads = self.projections(x.transpose(1, 2)).view(batch, length, 3, self.heads, channels // self.heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(2, 3) / sqrt(channels // self.heads)
        if ids is not None:
            scores = scores.masked_fill((ids == PADDING)[:, None, None], torch.finfo(scores.dtype).min)
        seen = (scores.softmax(3) @ value).transpose(1, 2).flatten(2)
        made: Tensor = self.output(seen).transpose(1, 2)
        return made if ids is None else made.masked_fill((ids == PADDING).unsqueeze(1), 0.0)


def attention(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Queries, keys and values from one linear layer, and a linear layer on what all heads have seen."""
    channels = shapes[0][0]
    projections = drawn_linear(channels, 3 * channels, True, generator)
    return Attention(projections, drawn_linear(channels, channels, True, generator), settings["heads"])
