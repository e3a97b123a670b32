"""Grouped convolutions of few channels on CPUs: neighbouring groups computed as one, with zeros between them.

oneDNN computes vectors of 16 numbers, most of which a group with 4 or 8 outputs leaves empty. Several groups as one,
with as many times the arithmetic, take about half the time for the maps and for the gradient of the weights; that of
the maps gains nothing and is taken group by group. Zero times a number that is not finite is not zero, so such numbers
are kept from the neighbours: the maps of a group that is given one become NaN as a whole.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from evonas_cli.nn.depthwise import Pair
from evonas_cli.nn.layout import channels_last_on_cpu

WIDEST = 8
"""Channels of a group, in and out, up to which it is narrow."""


def merged(x: Tensor, weight: Tensor, dilation: Pair, groups: int) -> int:
    """How many groups of these maps and weights are computed as one."""
    given, made = weight.shape[1], len(weight) // groups
    together = 4 if made <= WIDEST // 2 else 2
    fits = max(given, made) <= WIDEST and made > 1 and groups % together == 0 and dilation == (1, 1)
    return together if fits and channels_last_on_cpu(x) else 1


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
    kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    with torch.autocast("cpu", enabled=False):
        return cast(Tensor, _Narrow.apply(x, weight, bias, _How(kind, stride, padding, groups, together)))


class _Narrow(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, how: _How) -> Tensor:
        ctx.how, ctx.kinds = how, (x.dtype, weight.dtype)
        x, weight = x.to(how.kind), weight.to(how.kind)
        bias = None if bias is None else bias.to(how.kind)
        sound = bool(x.sum().isfinite())
        clean = x if sound else x.nan_to_num(0.0, 0.0, 0.0)
        ctx.save_for_backward(clean, weight)
        y = F.conv2d(clean, _blocks(weight, how), bias, how.stride, how.padding, 1, how.groups // how.together)
        return y if sound else y.masked_fill_(_lost(x, len(weight), how.groups), torch.nan)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        how, (x, weight), (of_x, of_weight) = ctx.how, ctx.saved_tensors, ctx.kinds
        to_x, to_weight, to_bias = ctx.needs_input_grad[:3]
        slope = slope.contiguous(memory_format=torch.channels_last)

        def gradients(kernels: Tensor, groups: int, *wanted: bool) -> list[Tensor]:
            settings = (len(weight),), how.stride, how.padding, (1, 1), False, (0, 0), groups
            return list(torch.ops.aten.convolution_backward(slope, x, kernels, *settings, wanted))

        by_x = gradients(weight, how.groups, True, False, False)[0].to(of_x) if to_x else None
        blocks = _blocks(weight, how)
        _, by_blocks, by_bias = gradients(blocks, how.groups // how.together, False, to_weight, to_bias)
        by_weight = _own(by_blocks, how).to(of_weight) if to_weight else None
        return by_x, by_weight, by_bias.to(of_weight) if to_bias else None, None


def _lost(x: Tensor, outputs: int, groups: int) -> Tensor:
    """(outputs, 1, 1): whether a number in the maps of the output's group is not finite."""
    by_group = x.isfinite().all(0).flatten(1).all(1).view(groups, -1).all(1)
    return ~by_group.repeat_interleave(outputs // groups).view(-1, 1, 1)


def _blocks(weight: Tensor, how: _How) -> Tensor:
    """The weights (O, C, ...) of `together` groups on the diagonal of one, (together x O, together x C, ...)."""
    outputs, inputs, high, wide = weight.shape
    blocks = weight.new_zeros(outputs, high, wide, how.together * inputs).permute(0, 3, 1, 2)
    _diagonals(blocks, how).copy_(_apart(weight, how))
    return blocks


def _own(blocks: Tensor, how: _How) -> Tensor:
    """The inverse of `_blocks`."""
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
