"""Convolutions of single channels on CPUs, float32 and of stride 1, with gradients that are faster than torch's.

The gradient of the feature maps is the same convolution with the kernel rotated by 180 degrees. The gradient of a
kernel is computed in blocks of 3 x 3, the only size for which oneDNN has a fast path: each block is the gradient of a
3 x 3 kernel on shifted feature maps.

Removal condition: the ratio of the depthwise rows of `scripts/bench_operators` is below 1.15.
"""

from __future__ import annotations

from itertools import product
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from evonas_cli.nn.kernels.memory_format import channels_last_on_cpu

BLOCK = 3
CHUNK = 1 << 19
"""Numbers in maps whose shifts are computed at once: some of them stay in a core's cache."""

Pair: TypeAlias = tuple[int, int]


def applies(x: Tensor, weight: Tensor, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> bool:
    """Whether this is such a convolution, with a kernel that is larger than a block and than the padding."""
    single = weight.shape[1] == 1 and len(weight) == groups == x.shape[1] > 1
    (high, wide), (above, beside) = weight.shape[2:], padding
    large = min(high, wide) >= BLOCK and max(high, wide) > BLOCK and above < high and beside < wide
    plain = stride == dilation == (1, 1) and x.dtype == weight.dtype == torch.float32
    return single and large and plain and channels_last_on_cpu(x)


def depthwise(x: Tensor, weight: Tensor, padding: Pair) -> Tensor:
    """Maps (batch, C, height, width) with kernels (C, 1, kernel height, kernel width)."""
    return cast(Tensor, _Depthwise.apply(x, weight, padding))


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, padding: Pair) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.padding = padding
        return F.conv2d(x, weight, None, 1, padding, 1, len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        slope = slope.contiguous(memory_format=torch.channels_last)
        to_x, to_weight = ctx.needs_input_grad[:2]
        around = cast(Pair, tuple(n - 1 - pad for n, pad in zip(weight.shape[2:], ctx.padding, strict=True)))
        by_x = F.conv2d(slope, weight.flip(2, 3), None, 1, around, 1, len(weight)) if to_x else None
        return by_x, _of_kernels(x, weight, slope, ctx.padding) if to_weight else None, None


def _of_kernels(x: Tensor, weight: Tensor, slope: Tensor, padding: Pair) -> Tensor:
    images = max(1, CHUNK // x[0].numel())
    gradient = torch.zeros_like(weight)
    for maps, slopes in zip(torch.split(x, images), torch.split(slope, images), strict=True):
        _add_blocks(gradient, maps, slopes, padding)
    return gradient


def _add_blocks(gradient: Tensor, x: Tensor, slope: Tensor, padding: Pair) -> None:
    above, beside = padding
    padded = F.pad(x, (beside, beside, above, above)).contiguous(memory_format=torch.channels_last)
    high, wide = slope.shape[2] + BLOCK - 1, slope.shape[3] + BLOCK - 1
    kernel = torch.empty(len(gradient), 1, BLOCK, BLOCK)
    for (top, new_rows), (left, new_columns) in product(_starts(gradient.shape[2]), _starts(gradient.shape[3])):
        part = padded[:, :, top : top + high, left : left + wide].contiguous(memory_format=torch.channels_last)
        block = torch.ops.aten.convolution_backward(
            slope, part, kernel, None, (1, 1), (0, 0), (1, 1), False, (0, 0), len(kernel), (False, True, False)
        )[1]
        rows, columns = slice(top + new_rows, top + BLOCK), slice(left + new_columns, left + BLOCK)
        gradient[:, :, rows, columns] += block[:, :, new_rows:, new_columns:]


def _starts(size: int) -> list[Pair]:
    """Where blocks begin that cover a side of a kernel, and how much of the last one another has covered."""
    return [(min(start, size - BLOCK), max(0, start - size + BLOCK)) for start in range(0, size, BLOCK)]
