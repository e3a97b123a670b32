"""Batch normalisations of P members as one with P times the channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.network.op import Shape
from evonas_cli.nn.stacked.form import Layers, joined, split

COUNT = "num_batches_tracked"


class BatchNorm(nn.Module):
    """Batch normalisations of P members, which are one with P times the channels. It does not count its batches."""

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> None:
        super().__init__()
        first = cast(nn.BatchNorm2d, parts[0])
        self.width, self.spread, self.vectors = len(parts), spread[0], len(shapes[0]) == 1
        self.eps, self.momentum = first.eps, first.momentum
        self.weight, self.bias = joined(parts, "weight"), joined(parts, "bias")
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, torch.cat([cast(Tensor, getattr(part, name)) for part in parts]))
        self.register_buffer(COUNT, torch.stack([cast(Tensor, part.num_batches_tracked) for part in parts]))

    def forward(self, x: Tensor) -> Tensor:
        if self.vectors and self.spread:
            x = x.transpose(0, 1).flatten(1)
        elif not self.spread:
            x = x.repeat(1, self.width, *[1] * (x.dim() - 2))
        mean, variance = cast(Tensor, self.running_mean), cast(Tensor, self.running_var)
        x = F.batch_norm(x, mean, variance, self.weight, self.bias, self.training, self.momentum or 0.0, self.eps)
        return split(x, 1, self.width).transpose(0, 1) if self.vectors else x
