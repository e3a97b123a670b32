"""Dropout of P members from the same random bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from evonas_cli.network.op import Shape
from evonas_cli.nn.layers.dropout import Dropout, kept
from evonas_cli.nn.stacked.form import Layers, repeated, split


class MemberDropout(nn.Module):
    """Dropout with the same bits for all members, of which each compares them with its own rate."""

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.rates, self.spread = [cast(Dropout, part).rate for part in parts], spread[0]
        self.vectors = len(shapes[0]) == 1
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        width = len(self.rates)
        if not self.training:
            return x if self.spread else repeated(x, width, self.vectors)
        if not self.spread:
            x = x.unsqueeze(1)
        elif self.vectors:
            x = x.transpose(0, 1)
        else:
            x = split(x, 1, width)
        shape = (x.shape[0], *x.shape[2:])
        rates = self.rates[:1] if self.spread and len(set(self.rates)) == 1 else self.rates
        x = x * torch.stack(kept(shape, rates, x, self.generator), 1)
        return x.transpose(0, 1) if self.vectors else x.flatten(1, 2)
