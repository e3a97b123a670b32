"""Dilated convolutions as ones without a dilation: on the pixels that count, or on each phase of a map.

A dilation of d in rows and columns is none for the maps that every d-th pixel makes, of which there are d x d, the
phases (as in the a trous algorithm: Shensa, IEEE Trans. Signal Process. 1992). If the stride is a multiple of the
dilation, one phase alone is read.

Removal condition: the ratio of the dilated rows of `scripts/bench_operators` is below 1.15.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from torch import Tensor

from evonas_cli.nn.kernels.depthwise import Pair
from evonas_cli.nn.kernels.memory_format import order, ordered

Convolve: TypeAlias = Callable[[Tensor, Pair, Pair, Pair], Tensor]
"""Takes maps, stride, padding and dilation."""


def one_phase(stride: Pair, padding: Pair, dilation: Pair) -> bool:
    """Whether all windows read the phase of the first pixel."""
    return _divide(dilation, stride) and _divide(dilation, padding)


def all_phases(x: Tensor, stride: Pair, padding: Pair, dilation: Pair) -> bool:
    """Whether the phases of maps (batch, C, height, width) are equal in size, and windows move by one pixel."""
    high, wide = x.shape[2:]
    return stride == (1, 1) and _divide(dilation, padding) and _divide(dilation, (high, wide))


def on_one_phase(convolve: Convolve, x: Tensor, stride: Pair, padding: Pair, dilation: Pair) -> Tensor:
    """The convolution on the first pixel's phase, for settings of which `one_phase` is true.

    A copy in any case: a single row or column out of a larger map has strides that oneDNN takes at their word.
    """
    x = ordered(x)[:, :, :: dilation[0], :: dilation[1]].clone(memory_format=order(x))
    return convolve(x, _parts(stride, dilation), _parts(padding, dilation), (1, 1))


def on_all_phases(convolve: Convolve, x: Tensor, padding: Pair, dilation: Pair) -> Tensor:
    """The convolution on all phases as images of one batch, for settings of which `all_phases` is true."""
    y = convolve(_phases(x, dilation), (1, 1), _parts(padding, dilation), (1, 1))
    down, along = dilation
    _, channels, high, wide = y.shape
    cells = y.permute(0, 2, 3, 1).reshape(down, along, len(x), high, wide, channels).permute(2, 3, 0, 4, 1, 5)
    return cells.reshape(len(x), high * down, wide * along, channels).permute(0, 3, 1, 2)


def _phases(x: Tensor, dilation: Pair) -> Tensor:
    """(batch, C, H, W) as (dilation x dilation x batch, C, H / dilation, W / dilation), channels last."""
    down, along = dilation
    batch, channels, high, wide = x.shape
    cells = x.permute(0, 2, 3, 1).reshape(batch, high // down, down, wide // along, along, channels)
    images = cells.permute(2, 4, 0, 1, 3, 5).reshape(-1, high // down, wide // along, channels)
    return images.permute(0, 3, 1, 2)


def _divide(parts: Pair, values: Pair) -> bool:
    return values[0] % parts[0] == 0 and values[1] % parts[1] == 0


def _parts(values: Pair, apart: Pair) -> Pair:
    return values[0] // apart[0], values[1] // apart[1]
