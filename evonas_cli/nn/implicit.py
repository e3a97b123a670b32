"""Convolutions of P members as products of matrices that are never made, on CUDA devices: in Triton.

The implicit GEMM of cuDNN (Chetlur et al., 2014), whose rows are the pixels of a batch and whose columns are the
channels of one member, on maps in channels_last order. cuDNN's grouped convolutions change the order of all maps before
and after; these read members where they lie. Sums are float32 and in an order that depends on shapes alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from evonas_cli.nn.bias import sum_of_pixels

Pair = tuple[int, int]

ROWS = 128
"""Pixels in a tile of an output."""
CHUNK = 64
"""Pixels in a step of a weight's gradient."""
PROGRAMS = 1024
"""About how many programs compute a weight's gradient; each of them sums up a share of the pixels."""


class Window(NamedTuple):
    """How a kernel slides over maps."""

    stride: Pair
    padding: Pair
    dilation: Pair


@triton.jit  # type: ignore[untyped-decorator]
def _correlate(  # type: ignore[no-untyped-def]
    x, weight, bias, y, n_rows, height, width, out_height, out_width, members,
    stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w,
    IN: tl.constexpr, OUT: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr, BIASED: tl.constexpr,
    ROWS: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_O: tl.constexpr,
):  # fmt: skip
    """y[row, p, o] = sum over taps and c of x[row moved by the tap, p, c] weight[p, o, tap, c] + bias[p, o]."""
    member = tl.program_id(1)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    out = tl.program_id(2) * BLOCK_O + tl.arange(0, BLOCK_O)
    image, left = row // (out_height * out_width), row % (out_height * out_width)
    top, side = left // out_width * stride_h - pad_h, left % out_width * stride_w - pad_w
    total = tl.zeros((ROWS, BLOCK_O), dtype=tl.float32)
    for tap in range(KERNEL_H * KERNEL_W):
        h, w = top + tap // KERNEL_W * dilation_h, side + tap % KERNEL_W * dilation_w
        inside = (row < n_rows) & (h >= 0) & (h < height) & (w >= 0) & (w < width)
        pixel = ((image * height + h) * width + w).to(tl.int64) * (members * IN) + member * IN
        for first in range(0, IN, BLOCK_C):
            c = first + tl.arange(0, BLOCK_C)
            a = tl.load(x + pixel[:, None] + c[None, :], mask=inside[:, None] & (c < IN)[None, :], other=0.0)
            place = ((member * OUT + out) * (KERNEL_H * KERNEL_W) + tap) * IN
            b = tl.load(weight + place[None, :] + c[:, None], mask=(out < OUT)[None, :] & (c < IN)[:, None], other=0.0)
            total = tl.dot(a, b, total, input_precision="ieee")
    if BIASED:
        total += tl.load(bias + member * OUT + out, mask=out < OUT, other=0.0).to(tl.float32)[None, :]
    target = row[:, None].to(tl.int64) * (members * OUT) + (member * OUT + out)[None, :]
    tl.store(y + target, total.to(y.dtype.element_ty), mask=(row < n_rows)[:, None] & (out < OUT)[None, :])


@triton.jit  # type: ignore[untyped-decorator]
def _weigh(  # type: ignore[no-untyped-def]
    x, slope, shares, n_rows, height, width, out_height, out_width, members, share,
    stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w,
    IN: tl.constexpr, OUT: tl.constexpr, KERNEL_H: tl.constexpr, KERNEL_W: tl.constexpr,
    CHUNK: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_O: tl.constexpr,
):  # fmt: skip
    """shares[s, p, o, tap, c] = sum over the rows of share s of slope[row, p, o] x[row moved by the tap, p, c]."""
    taps: tl.constexpr = KERNEL_H * KERNEL_W
    tap = tl.program_id(0) % taps
    c = tl.program_id(0) // taps * BLOCK_C + tl.arange(0, BLOCK_C)
    member = tl.program_id(1) % members
    out = tl.program_id(1) // members * BLOCK_O + tl.arange(0, BLOCK_O)
    begin = tl.program_id(2) * share
    total = tl.zeros((BLOCK_O, BLOCK_C), dtype=tl.float32)
    for step in range(0, share, CHUNK):
        row = begin + step + tl.arange(0, CHUNK)
        image, left = row // (out_height * out_width), row % (out_height * out_width)
        h = left // out_width * stride_h - pad_h + tap // KERNEL_W * dilation_h
        w = left % out_width * stride_w - pad_w + tap % KERNEL_W * dilation_w
        own = row < n_rows
        inside = own & (h >= 0) & (h < height) & (w >= 0) & (w < width)
        pixel = ((image * height + h) * width + w).to(tl.int64) * (members * IN) + member * IN
        a = tl.load(x + pixel[:, None] + c[None, :], mask=inside[:, None] & (c < IN)[None, :], other=0.0)
        target = row[None, :].to(tl.int64) * (members * OUT) + (member * OUT + out)[:, None]
        g = tl.load(slope + target, mask=own[None, :] & (out < OUT)[:, None], other=0.0)
        total = tl.dot(g, a, total, input_precision="ieee")
    place = ((tl.program_id(2) * members + member) * OUT + out) * taps + tap
    mask = (out < OUT)[:, None] & (c < IN)[None, :]
    tl.store(shares + place[:, None].to(tl.int64) * IN + c[None, :], total, mask=mask)


class _Implicit(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, window: Window, members: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.window, ctx.members, ctx.biased = window, members, bias is not None
        return correlate(x, weight, bias, window, members, _slid(x, weight, window))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        slope = slope.contiguous(memory_format=torch.channels_last)
        to_x, to_weight, to_bias, *_ = ctx.needs_input_grad
        return (
            _slope_of_maps(x, weight, slope, ctx.window, ctx.members) if to_x else None,
            weigh(x, weight, slope, ctx.window, ctx.members) if to_weight else None,
            sum_of_pixels(slope) if ctx.biased and to_bias else None,
            None,
            None,
        )


def implicit(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair, dilation: Pair, groups: int, width: int
) -> Tensor:
    """As the other forms; takes groups as further members, so what it computes for groups of few channels is little."""
    if torch.is_autocast_enabled(x.device.type):
        kind = torch.get_autocast_dtype(x.device.type)
        x, weight = x.to(kind), weight.to(kind)
    maps, kernels = (each.contiguous(memory_format=torch.channels_last) for each in (x, weight))
    window = Window(stride, padding, dilation)
    return cast(Tensor, _Implicit.apply(maps, kernels, bias, window, groups * width))


def correlate(x: Tensor, weight: Tensor, bias: Tensor | None, window: Window, members: int, size: Pair) -> Tensor:
    """Maps (batch, P x O, *size) of maps (batch, P x C, height, width) and kernels (P x O, C, ...), channels last."""
    batch, (n_out, c, *kernel) = len(x), weight.shape
    y = torch.empty((batch, n_out, *size), dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    n_rows, o = batch * size[0] * size[1], n_out // members
    block = _block(o, 128)
    grid = (triton.cdiv(n_rows, ROWS), members, triton.cdiv(o, block))
    _correlate[grid](
        x, weight, bias, y, n_rows, *x.shape[2:], *size, members, *window.stride, *window.padding, *window.dilation,
        IN=c, OUT=o, KERNEL_H=kernel[0], KERNEL_W=kernel[1], BIASED=bias is not None,
        ROWS=ROWS, BLOCK_C=_block(c, 64), BLOCK_O=block,
    )  # fmt: skip
    return y


def weigh(x: Tensor, weight: Tensor, slope: Tensor, window: Window, members: int) -> Tensor:
    """The gradient of the kernels, from the maps and the gradient of the output: shares of the pixels, then summed."""
    n_out, c, *kernel = weight.shape
    o, taps, n_rows = n_out // members, kernel[0] * kernel[1], len(slope) * slope.shape[2] * slope.shape[3]
    block_o, block_c = _block(o, 64), _block(c, 64)
    programs = taps * triton.cdiv(c, block_c) * members * triton.cdiv(o, block_o)
    n_shares = max(1, min(triton.cdiv(PROGRAMS, programs), triton.cdiv(n_rows, 16 * CHUNK)))
    share = triton.cdiv(triton.cdiv(n_rows, n_shares), CHUNK) * CHUNK
    shares = torch.empty((n_shares, n_out, *kernel, c), dtype=torch.float32, device=x.device)
    grid = (taps * triton.cdiv(c, block_c), members * triton.cdiv(o, block_o), n_shares)
    _weigh[grid](
        x, slope, shares, n_rows, *x.shape[2:], *slope.shape[2:], members, share,
        *window.stride, *window.padding, *window.dilation,
        IN=c, OUT=o, KERNEL_H=kernel[0], KERNEL_W=kernel[1], CHUNK=CHUNK, BLOCK_C=block_c, BLOCK_O=block_o,
    )  # fmt: skip
    return shares.sum(0).permute(0, 3, 1, 2).to(weight.dtype)


def _slope_of_maps(x: Tensor, weight: Tensor, slope: Tensor, window: Window, members: int) -> Tensor:
    """The gradient of the maps: without a stride it is a correlation with the kernels turned around."""
    if window.stride != (1, 1):
        settings = (window.stride, window.padding, window.dilation, False, (0, 0), members)
        only_x = (True, False, False)
        found = torch.ops.aten.convolution_backward(slope, x, weight, None, *settings, only_x)
        return cast(Tensor, found[0])
    n_out, c, *kernel = weight.shape
    turned = weight.permute(0, 2, 3, 1).reshape(members, n_out // members, kernel[0] * kernel[1], c).flip(2)
    turned = turned.permute(0, 3, 2, 1).contiguous().view(members * c, *kernel, n_out // members).permute(0, 3, 1, 2)
    reach = zip(window.dilation, kernel, window.padding, strict=True)
    padding = cast(Pair, tuple(apart * (length - 1) - pad for apart, length, pad in reach))
    return correlate(slope, turned, None, Window((1, 1), padding, window.dilation), members, cast(Pair, x.shape[2:]))


def _slid(x: Tensor, weight: Tensor, window: Window) -> Pair:
    """Height and width of the output."""
    lengths = zip(x.shape[2:], weight.shape[2:], window.stride, window.padding, window.dilation, strict=True)
    return cast(Pair, tuple((n + 2 * pad - apart * (k - 1) - 1) // step + 1 for n, k, step, pad, apart in lengths))


def _block(n: int, most: int) -> int:
    """A power of two from 16 to `most` that covers `n`, if one does."""
    return max(16, min(most, 1 << (n - 1).bit_length()))
