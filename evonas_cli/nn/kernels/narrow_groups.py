"""Grouped convolutions on CPUs with few channels a group, or an odd number of them in bfloat16.

oneDNN computes vectors of 16 numbers. A group with 4 or 8 outputs leaves most of a vector empty. Several neighbouring
groups are therefore computed as one group with zeros between them: the arithmetic grows, and the time of the output
and of the gradient of the weights is about halved. The gradient of the feature maps gains nothing and is computed group
by group.

In bfloat16 oneDNN reads channels in pairs. Where a group has an odd number of channels, the last channel is paired with
the first channel of the next group, multiplied by zero. Zero times a number that is not finite is NaN, so a diverged
member would reach its neighbour. Such numbers are replaced before the convolution, and the output and the gradients of
the group that holds one are NaN.

Removal conditions: for the merging, the ratio of the grouped rows of `scripts/bench_operators` is below 1.15; for the
pairs, the test of odd groups in tests/unit/nn passes with torch's own convolution.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from evonas_cli.nn.kernels.depthwise import Pair
from evonas_cli.nn.kernels.memory_format import channels_last_on_cpu
from evonas_cli.nn.kernels.precision import kind_of

WIDEST = 8
"""Channels of a group, in and out, up to which it is narrow."""


def merged(x: Tensor, weight: Tensor, dilation: Pair, groups: int) -> int:
    """How many groups of these maps and weights are computed as one."""
    given, made = weight.shape[1], len(weight) // groups
    together = 4 if made <= WIDEST // 2 else 2
    fits = max(given, made) <= WIDEST and made > 1 and groups % together == 0 and dilation == (1, 1)
    return together if fits and channels_last_on_cpu(x) else 1


def paired(x: Tensor, weight: Tensor, groups: int) -> bool:
    """Whether groups of these maps and weights are read in pairs of channels that are not all their own."""
    given, made = weight.shape[1], len(weight) // groups
    odd = groups > 1 and (given % 2 or made % 2) and max(given, made) > 1
    return bool(odd) and channels_last_on_cpu(x) and kind_of(x) == torch.bfloat16


class _How(NamedTuple):
    kind: torch.dtype
    stride: Pair
    padding: Pair
    groups: int
    together: int


def narrow(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair, groups: int, together: int
) -> Tensor:
    """Maps (batch, groups x C, height, width) with weights (groups x O, C, kernel height, kernel width) and biases, in
    the precision of autocast; `together` divides the groups."""
    how = _How(kind_of(x), stride, padding, groups, together)
    with torch.autocast("cpu", enabled=False):
        return cast(Tensor, _Narrow.apply(x, weight, bias, how))


class _Narrow(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, how: _How) -> Tensor:
        ctx.how, ctx.kinds = how, (x.dtype, weight.dtype)
        x, weight = x.to(how.kind), weight.to(how.kind)
        bias = None if bias is None else bias.to(how.kind)
        clean = _finite(x)
        ctx.save_for_backward(clean, weight)
        y = F.conv2d(clean, _blocks(weight, how), bias, how.stride, how.padding, 1, how.groups // how.together)
        return y if clean is x else y.masked_fill_(_lost(x, len(weight), how.groups), torch.nan)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        how, (x, weight), (of_x, of_weight) = ctx.how, ctx.saved_tensors, ctx.kinds
        to_x, to_weight, to_bias = ctx.needs_input_grad[:3]
        slope = slope.contiguous(memory_format=torch.channels_last)

        def gradients(slope: Tensor, kernels: Tensor, groups: int, *wanted: bool) -> list[Tensor]:
            settings = (len(weight),), how.stride, how.padding, (1, 1), False, (0, 0), groups
            return list(torch.ops.aten.convolution_backward(slope, x, kernels, *settings, wanted))

        by_x = None
        if to_x:
            clean = _finite(slope) if len(weight) // how.groups % 2 else slope
            by_x = gradients(clean, weight, how.groups, True, False, False)[0].to(of_x)
            by_x = by_x if clean is slope else by_x.masked_fill_(_lost(slope, x.shape[1], how.groups), torch.nan)
        blocks = _blocks(weight, how)
        _, by_blocks, by_bias = gradients(slope, blocks, how.groups // how.together, False, to_weight, to_bias)
        by_weight = _own(by_blocks, how).to(of_weight) if to_weight else None
        return by_x, by_weight, by_bias.to(of_weight) if to_bias else None, None


def _finite(x: Tensor) -> Tensor:
    """The maps, or zeros where they are not finite."""
    return x if x.sum().isfinite() else x.nan_to_num(0.0, 0.0, 0.0)


def _lost(x: Tensor, outputs: int, groups: int) -> Tensor:
    """(outputs, 1, 1): whether a number in the maps of the output's group is not finite."""
    by_group = x.isfinite().all(0).flatten(1).all(1).view(groups, -1).all(1)
    return ~by_group.repeat_interleave(outputs // groups).view(-1, 1, 1)


def _blocks(weight: Tensor, how: _How) -> Tensor:
    """The weights (O, C, ...) of `together` groups on the diagonal of one, (together x O, together x C, ...)."""
    if how.together == 1:
        return weight
    outputs, inputs, high, wide = weight.shape
    blocks = weight.new_zeros(outputs, high, wide, how.together * inputs).permute(0, 3, 1, 2)
    _diagonals(blocks, how).copy_(_apart(weight, how))
    return blocks


def _own(blocks: Tensor, how: _How) -> Tensor:
    """The inverse of `_blocks`."""
    if how.together == 1:
        return blocks
    outputs, inputs, high, wide = blocks.shape
    weight = blocks.new_empty(outputs, high, wide, inputs // how.together).permute(0, 3, 1, 2)
    _apart(weight, how).copy_(_diagonals(blocks, how))
    return weight


def _diagonals(blocks: Tensor, how: _How) -> Tensor:
    """(groups / together, O, kernel height, kernel width, C, together), a view."""
    outputs, inputs, high, wide = blocks.shape
    n, each = how.together, outputs // how.groups
    return blocks.permute(0, 2, 3, 1).view(-1, n, each, high, wide, n, inputs // n).diagonal(0, 1, 5)


def _apart(weight: Tensor, how: _How) -> Tensor:
    """As `_diagonals`, of weights."""
    outputs, inputs, high, wide = weight.shape
    n, each = how.together, outputs // how.groups
    return weight.permute(0, 2, 3, 1).view(-1, n, each, high, wide, inputs).permute(0, 2, 3, 4, 5, 1)
