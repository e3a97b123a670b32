"""Convolutions of P members as one convolution with P times the groups (Wang et al., "HFTA", MLSys 2021).

The feature maps are (batch, P x C, height, width), the weights (P x O, C / groups, kernel height, kernel width), member
after member; the output is (batch, P x O, height', width').
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.network.op import Shape
from evonas_cli.nn.kernels.bias import biased
from evonas_cli.nn.kernels.depthwise import BLOCK, Pair, applies, depthwise
from evonas_cli.nn.kernels.dilation import Convolve, all_phases, on_all_phases, on_one_phase, one_phase
from evonas_cli.nn.kernels.image_convolution import of_images, product
from evonas_cli.nn.kernels.memory_format import order
from evonas_cli.nn.kernels.narrow_groups import merged, narrow, paired
from evonas_cli.nn.kernels.precision import kind_of
from evonas_cli.nn.stacked.form import Layers, joined, optional


def grouped(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Tensor:
    """The convolution with `groups` groups over all members, by the fastest kernel that computes it."""
    if bias is None and applies(x, weight, stride, padding, dilation, groups):
        return depthwise(x, weight, padding)
    if of_images(x, weight, dilation, groups):
        return product(x, weight, bias, stride, padding)
    together = merged(x, weight, dilation, groups)
    if together > 1 or paired(x, weight, groups):
        return narrow(x, weight, bias, stride, padding, groups, together)
    return F.conv2d(x, weight, bias, stride, padding, dilation, groups)


class Conv(nn.Module):
    """Convolutions of P members; on a common input one convolution with P times the channels.

    Dilated ones of single channels are computed without their dilation where they can be, on CPUs all whose dilation
    divides stride and padding; so is, there, the stride of a kernel of one row or column, if strides are unequal, or of
    1x1 convolutions of a few channels, since torch's gradients of such weights write beyond their memory. Some remain
    float32 on CPUs whatever the precision: what is left of dilated ones, and those whose stride is larger than the map,
    since torch's bf16 gradients of their weights read memory that was never written; those with one column of windows
    and a larger stride along the rows, whose maps are wrong in bf16; and those of single channels with strides or large
    kernels, whose gradients take up to a hundred times as long in bf16.
    """

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape] = ()) -> None:
        super().__init__()
        first = cast(nn.Conv2d, parts[0])
        self.weight, self.bias = joined(parts, "weight"), optional(parts, "bias")
        self.repeats = len(parts) if first.groups > 1 and not spread[0] else 1
        self.width = len(parts) if spread[0] or first.groups > 1 else 1
        self.groups, self.stride, self.dilation = first.groups, cast(Pair, first.stride), cast(Pair, first.dilation)
        self.padding = cast(Pair, first.padding)
        self.single = self.weight.shape[1] == 1 and self.groups * self.width > 1

    def forward(self, x: Tensor, weight: Tensor | None = None) -> Tensor:
        """`weight` has the numbers of the layer's own in another precision."""
        x = x.repeat(1, self.repeats, 1, 1) if self.repeats > 1 else x
        stride, padding, dilation = self.stride, self.padding, self.dilation
        on_cpu, convolve = x.device.type == "cpu", partial(self._convolve, self.weight if weight is None else weight)
        if on_cpu:
            convolve = partial(self._sound, convolve)
        if on_cpu and (stride[0] != stride[1] or self._overflows(x)):
            dilation = _stretched(cast(Pair, self.weight.shape[2:]), stride, dilation)
        if max(dilation) > 1 and (on_cpu or self.single) and one_phase(stride, padding, dilation):
            return on_one_phase(convolve, x, stride, padding, dilation)
        if max(dilation) > 1 and self.single and all_phases(x, stride, padding, dilation):
            return on_all_phases(convolve, x, padding, dilation)
        return convolve(x, stride, padding, dilation)

    def _sound(self, convolve: Convolve, x: Tensor, stride: Pair, padding: Pair, dilation: Pair) -> Tensor:
        slow = self.single and (max(stride) > 1 or max(self.weight.shape[2:]) > BLOCK)
        unsound = max(dilation) > 1 or stride[0] > x.shape[2] or stride[1] > x.shape[3]
        unsound = unsound or self._one_column(x, stride, padding, dilation)
        if not slow and not unsound:
            return convolve(x, stride, padding, dilation)
        kind = kind_of(x)
        with torch.autocast("cpu", enabled=False):
            return convolve(x.float(), stride, padding, dilation).to(kind)

    def _convolve(self, weight: Tensor, x: Tensor, stride: Pair, padding: Pair, dilation: Pair) -> Tensor:
        settings = stride, padding, dilation, self.groups * self.width
        if x.is_cuda and self.bias is not None:
            return biased(grouped(x, weight, None, *settings), self.bias)
        if x.is_cuda or not self._misread(x, stride, padding, dilation):
            return grouped(x, weight, self.bias, *settings)
        maps, kernels = (tensor.clone(memory_format=torch.contiguous_format) for tensor in (x, weight))
        return grouped(maps, kernels, self.bias, *settings).contiguous(memory_format=order(x))

    def _overflows(self, x: Tensor) -> bool:
        """Whether a kernel of oneDNN for the gradient of weights writes beyond its memory, that for AVX2 below 8 input
        channels and one for AVX-512 below 16 (uxlfoundation/oneDNN#6035)."""
        pixels = tuple(self.weight.shape[2:]) == (1, 1) and max(self.stride) > 1
        return pixels and self.groups * self.width == 1 and x.shape[1] < 16

    def _misread(self, x: Tensor, stride: Pair, padding: Pair, dilation: Pair) -> bool:
        """Whether torch's CPU code computes something else if channels come last, whatever the precision: with single
        channels, one column of windows, and a stride that is larger along the rows than along the columns."""
        return self.weight.shape[1] == 1 and self._one_column(x, stride, padding, dilation)

    def _one_column(self, x: Tensor, stride: Pair, padding: Pair, dilation: Pair) -> bool:
        """Whether there is one column of windows, and a stride that is larger along the rows than along the columns."""
        kernel, size = cast(Pair, self.weight.shape[2:]), cast(Pair, x.shape[2:])
        _, columns = _slid(size, kernel, stride, padding, dilation)
        return columns == 1 and stride[1] > stride[0]


class Conv1d(Conv):
    """Convolutions of P members' sequences, (batch, P x channels, length), as maps one pixel wide."""

    def forward(self, x: Tensor, weight: Tensor | None = None) -> Tensor:
        """As that of `Conv`."""
        return super().forward(x.unsqueeze(3), weight).squeeze(3)


def _stretched(kernel: Pair, stride: Pair, dilation: Pair) -> Pair:
    """The dilation by direction. Where the kernel has one row (or column) the dilation of rows (or columns) has no
    effect. There it is set to the stride, so that the dilation divides the stride, as `one_phase` requires."""
    high, wide = (step if size == 1 else apart for size, step, apart in zip(kernel, stride, dilation, strict=True))
    return high, wide


def _slid(size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> list[int]:
    """Height and width of what a window slides over."""
    return [
        (length + 2 * pad - apart * (window - 1) - 1) // step + 1
        for length, window, step, pad, apart in zip(size, kernel, stride, padding, dilation, strict=True)
    ]
