"""Linear layers of P members as one batched product, whose gradients lie in memory as the weights do."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from evonas_cli.nn.kernels.precision import kind_of


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
