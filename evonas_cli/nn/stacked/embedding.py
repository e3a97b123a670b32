"""Embeddings of P members: one look-up in all tables, which lie one below the other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.network.op import Shape
from evonas_cli.nn.layers.embedding import PADDING
from evonas_cli.nn.stacked.form import Layers, check_shared, joined


class Embedding(nn.Module):
    """Token ids (batch, length), which the members share, to (batch, P x width, length); padding gives zeros."""

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> None:
        super().__init__()
        check_shared(spread[0])
        self.width, self.weight = len(parts), joined(parts, "weight")

    def forward(self, ids: Tensor) -> Tensor:
        first = torch.arange(self.width, device=ids.device) * (len(self.weight) // self.width)
        rows = F.embedding(ids.unsqueeze(1) + first.view(-1, 1), self.weight)
        columns = rows.masked_fill((ids == PADDING)[:, None, :, None], 0.0)
        return columns.transpose(2, 3).flatten(1, 2)
