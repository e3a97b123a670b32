"""Embeddings: a column of learned numbers for each token id, and zeros for padding."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.network.op import Settings, Shape

PADDING = 0
"""The token id of padding."""


class Embedding(nn.Module):
    """Token ids (batch, length) to (batch, width, length); padding gives zeros, and its row is never trained."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, ids: Tensor) -> Tensor:
        rows = F.embedding(ids, self.weight).movedim(-1, -2)
        return rows.masked_fill((ids == PADDING).unsqueeze(-2), 0.0)


def embedding(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """A table (vocabulary, width) of numbers with sd 1; the row of padding is zero."""
    weight = torch.empty(settings["vocabulary"], settings["width"]).normal_(generator=generator)
    weight[PADDING] = 0.0
    return Embedding(weight)
