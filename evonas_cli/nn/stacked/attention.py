"""Self-attention of P members: batched products for their linear layers, heads as those of a P times larger batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor

from evonas_cli.network.op import Shape
from evonas_cli.nn.layers.attention import Attention as Layer
from evonas_cli.nn.layers.embedding import PADDING
from evonas_cli.nn.stacked.form import Layers, check_shared, repeated, split
from evonas_cli.nn.stacked.linear import Linear


class Attention(Layer):
    """(batch, P x channels, length) to the same shape, or (batch, channels, length) where the members share it."""

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> None:
        check_shared(any(spread[1:]))
        own = [cast(Layer, part) for part in parts]
        projections = Linear([part.projections for part in own], (True,), ())
        output = Linear([part.output for part in own], (True,), ())
        first = own[0]
        super().__init__(projections, output, first.heads, first.window, first.linear, first.rotary)
        self.width, self.spread = len(parts), spread[0]

    def forward(self, x: Tensor, ids: Tensor | None = None) -> Tensor:
        members = split(x if self.spread else repeated(x, self.width, False), 1, self.width)
        batch, width, channels, length = members.shape
        rows = members.permute(1, 0, 3, 2).flatten(1, 2)
        heads = self.projections(rows).view(width, batch, length, 3, self.heads, channels // self.heads)
        real = None if ids is None else (ids != PADDING).repeat(width, 1)
        query, key, value = heads.permute(3, 0, 1, 4, 2, 5).flatten(1, 2)
        seen = self.attend(query, key, value, real)
        rows = self.output(seen.transpose(1, 2).reshape(width, batch * length, channels))
        made: Tensor = rows.view(width, batch, length, channels).permute(1, 0, 3, 2).flatten(1, 2)
        return made if ids is None else made.masked_fill((ids == PADDING).unsqueeze(1), 0.0)
