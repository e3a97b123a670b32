"""Pooling of the feature maps of a population, where torch's own operators take several times as long.

Both keep to maps in channels_last order, (batch, channels, height, width); all else is left to torch. No operation
mixes two channels.

Removal conditions: for the time, the ratio of the pooling rows of `scripts/bench_operators` is below 1.15; for means
with padding on CUDA devices, pytorch/pytorch#188344 is closed in the oldest supported torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from evonas_cli.network.op import Shape
from evonas_cli.nn.kernels.memory_format import channels_last_on_cpu, order

BITS = torch.int16
"""Integers of the size of a bfloat16: compared and masked as whole vectors, at the speed of the memory."""


class MaxPool(nn.Module):
    """Maxima over windows, and 0 if `rectify` is set; padding never wins.

    In bfloat16, windows of 2 x 2 that do not overlap are compared by whole rows and their gradients moved by bits. Of
    equal numbers another one than torch's choice may have the gradient.
    """

    def __init__(self, parts: Sequence[nn.Module], spread: Sequence[bool], shapes: Sequence[Shape] = ()) -> None:
        super().__init__()
        first = cast(nn.MaxPool2d, parts[0])
        self.kernel, self.stride, self.padding = first.kernel_size, first.stride, first.padding
        self.rectify = False

    def forward(self, x: Tensor) -> Tensor:
        pairs = (self.kernel, self.stride, self.padding) == (2, 2, 0) and min(x.shape[2:]) > 1
        if pairs and x.dtype == torch.bfloat16 and channels_last_on_cpu(x):
            return cast(Tensor, _Pairs.apply(x, self.rectify))
        y = F.max_pool2d(x, self.kernel, self.stride, self.padding)
        return y.relu_() if self.rectify else y


class _Pairs(torch.autograd.Function):
    """The larger of two rows, then of two columns; of equal ones the first has the gradient.

    As integers numbers above 0 keep their order and exceed all others, but for some NaN: what is rectified is compared
    so where all numbers are finite.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, rectify: bool) -> Tensor:
        as_bits = rectify and bool(x.sum().isfinite())
        seen = x.view(BITS) if as_bits else x
        rows = torch.maximum(*_halves(seen, 2))
        y = torch.maximum(*_halves(rows, 3))
        y = y.clamp_(min=0) if rectify else y
        ctx.rectify = rectify
        ctx.save_for_backward(x, rows.view(x.dtype), y.view(x.dtype))
        return y.view(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        x, rows, y = ctx.saved_tensors
        bits = slope.contiguous(memory_format=torch.channels_last).view(BITS)
        if ctx.rectify:
            bits = bits * y.view(BITS).clamp(0, 1)
        bits = _to_winners(bits, 3, rows, y)
        return _to_winners(bits, 2, x, rows).view(x.dtype), None


def _halves(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Every first and every second slice along a dimension, without the last one where their number is odd."""
    x = x.narrow(dim, 0, x.shape[dim] // 2 * 2)
    return (x[:, :, ::2], x[:, :, 1::2]) if dim == 2 else (x[..., ::2], x[..., 1::2])


def _to_winners(slope: Tensor, dim: int, x: Tensor, most: Tensor) -> Tensor:
    """The gradient of the maxima `most` of both halves of `x`, each number given to the larger one; all as bits."""
    given = torch.empty_like(x, dtype=BITS)
    if x.shape[dim] % 2:
        given.select(dim, -1).zero_()
    to_first, to_second = _halves(given, dim)
    first_wins = torch.eq(_halves(x, dim)[0].view(BITS), most.view(BITS), out=torch.empty_like(slope))
    torch.mul(slope, first_wins, out=to_first)
    torch.bitwise_xor(slope, to_first, out=to_second)
    return given


class AvgPool(nn.Module):
    """Means over windows; padding does not count. On CUDA devices, and on CPUs with stride 1, a convolution of each
    channel with ones.

    On CUDA devices many versions of torch also compute wrong gradients of means with padding in channels_last order
    (pytorch/pytorch#188344).
    """

    def __init__(self, parts: Sequence[nn.Module], spread: Sequence[bool], shapes: Sequence[Shape] = ()) -> None:
        super().__init__()
        first = cast(nn.AvgPool2d, parts[0])
        self.kernel, self.stride = cast(int, first.kernel_size), cast(int, first.stride)
        self.padding = cast(int, first.padding)
        self._kept: dict[tuple[torch.Size, torch.dtype, torch.device], tuple[Tensor, Tensor]] = {}

    def forward(self, x: Tensor) -> Tensor:
        last = x.dim() == 4 and order(x) == torch.channels_last
        if not last or (self.stride != 1 and not x.is_cuda):
            return F.avg_pool2d(x, self.kernel, self.stride, self.padding, count_include_pad=False)
        with torch.autocast(x.device.type, enabled=False):
            ones, shares = self._constants(x)
            return F.conv2d(x, ones, None, self.stride, self.padding, 1, len(ones)) * shares

    def _constants(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Kernels and shares for such maps, kept with the layer: a recorded step reads them where they lie."""
        key = x.shape[1:], x.dtype, x.device
        if key not in self._kept:
            self._kept[key] = self._made(x)
        return self._kept[key]

    @torch.inference_mode(False)
    def _made(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(channels, 1, kernel, kernel) ones, and one over the pixels inside of each window, (1, channels, height',
        width')."""
        _, channels, high, wide = x.shape
        kernel = torch.ones(channels, 1, self.kernel, self.kernel, device=x.device)
        pixels = F.conv2d(torch.ones(1, 1, high, wide, device=x.device), kernel[:1], None, self.stride, self.padding)
        shares = pixels.reciprocal().to(x.dtype).expand(-1, channels, -1, -1)
        last = torch.channels_last
        return kernel.to(x.dtype).to(memory_format=last), shares.contiguous(memory_format=last)
