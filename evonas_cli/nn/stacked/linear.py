"""Linear layers of P members as one batched product, whose gradients lie in memory as the weights do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from evonas_cli.network.op import Shape
from evonas_cli.nn.kernels.precision import kind_of
from evonas_cli.nn.stacked.form import Layers, joined, optional, split


class Linear(nn.Module):
    """Linear layers of P members: one batched product, or one product if their input is common."""

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.width, self.spread = len(parts), spread[0]
        self.weight, self.bias = joined(parts, "weight"), optional(parts, "bias")

    def forward(self, x: Tensor, weight: Tensor | None = None) -> Tensor:
        """`weight` has the numbers of the layer's own in another precision."""
        weight = self.weight if weight is None else weight
        if not self.spread:
            return split(F.linear(x, weight, self.bias), 1, self.width).transpose(0, 1)
        bias = None if self.bias is None else split(self.bias, 0, self.width)
        return products(x, split(weight, 0, self.width), bias)


def products(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(P, batch, features) with weights (P, units, features) and biases (P, units), in the precision of autocast.

    torch's own gradient of such weights is transposed, and copied before it can be added.
    """
    return cast(Tensor, _Products.apply(x, weight, bias, kind_of(x)))


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, kind: torch.dtype) -> Tensor:
        ctx.kinds = x.dtype, weight.dtype, None if bias is None else bias.dtype
        x, weight = x.to(kind), weight.to(kind)
        ctx.save_for_backward(x, weight)
        if bias is None:
            return torch.bmm(x, weight.transpose(1, 2))
        return torch.baddbmm(bias.to(kind).unsqueeze(1), x, weight.transpose(1, 2))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        to_x, to_weight, to_bias = ctx.needs_input_grad[:3]
        of_x, of_weight, of_bias = ctx.kinds
        return (
            torch.bmm(slope, weight).to(of_x) if to_x else None,
            torch.bmm(slope.transpose(1, 2), x).to(of_weight) if to_weight else None,
            slope.sum(1).to(of_bias) if to_bias else None,
            None,
        )
