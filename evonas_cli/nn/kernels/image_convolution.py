"""Convolutions of images of few channels on CPUs in bfloat16, as one product of all patches with the kernels.

oneDNN's convolutions take vectors of input channels, which one or three channels leave almost empty; a product's inner
dimension is a whole patch. Biases are the weights of a patch's last number, which is 1. Every output channel is a
column of its own, so a number that is not finite stays with its member. The gradient of the images is not computed.

Removal condition: the ratio of the rows of images of `scripts/bench_operators` is below 1.15.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from evonas_cli.nn.kernels.depthwise import Pair
from evonas_cli.nn.kernels.precision import kind_of

LONGEST = 31
"""Numbers of a patch, beyond which unfolding costs what the product saves."""
LEAST = 32
"""Output channels, below which it does."""


def of_images(x: Tensor, weight: Tensor, dilation: Pair, groups: int) -> bool:
    """Whether this is such a convolution."""
    fits = weight[0].numel() <= LONGEST and len(weight) >= LEAST and weight[0, 0].numel() > 1
    plain = groups == 1 and dilation == (1, 1) and x.device.type == "cpu" and not x.requires_grad
    return plain and fits and kind_of(x) == torch.bfloat16


def product(x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair) -> Tensor:
    """Maps (batch, O, height', width') of images (batch, C, height, width) and kernels (O, C, ...), in the precision of
    autocast, channels last."""
    images = x.to(kind_of(x))
    if any(padding):
        images = F.pad(images, (padding[1], padding[1], padding[0], padding[0]))
    return cast(Tensor, _Product.apply(images, weight, bias, stride))


class _Product(torch.autograd.Function):
    """Its output is no view, so that it may be rectified in place."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair) -> Tensor:
        outputs, channels, high, wide = weight.shape
        windows = x.contiguous().unfold(2, high, stride[0]).unfold(3, wide, stride[1]).permute(4, 5, 1, 0, 2, 3)
        _, _, _, batch, rows, columns = windows.shape
        patches = x.new_ones(weight[0].numel() + 1, batch * rows * columns)
        patches[:-1].view(windows.shape).copy_(windows)
        last = weight.new_zeros(outputs) if bias is None else bias
        kernels = torch.cat([weight.permute(2, 3, 1, 0).flatten(0, 2), last[None]]).to(x.dtype)
        ctx.save_for_backward(patches)
        ctx.shape, ctx.kind = weight.shape, weight.dtype
        y = torch.empty((batch, outputs, rows, columns), dtype=x.dtype, memory_format=torch.channels_last)
        torch.mm(patches.t(), kernels, out=y.permute(0, 2, 3, 1).view(-1, outputs))
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[None, Tensor | None, Tensor | None, None]:
        (patches,), (outputs, channels, high, wide) = ctx.saved_tensors, ctx.shape
        _, to_weight, to_bias, _ = ctx.needs_input_grad
        found = (patches @ slope.permute(0, 2, 3, 1).reshape(-1, outputs)).to(ctx.kind)
        by_weight = found[:-1].t().reshape(outputs, high, wide, channels).permute(0, 3, 1, 2)
        return None, by_weight if to_weight else None, found[-1] if to_bias else None, None
