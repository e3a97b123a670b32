"""The primitive operations of a plan as torch modules, one builder for each entry of `evonas_cli.network.ops.OPS`.

Initial weights come from the generator that is passed in: convolutions are normal with sd gain x sqrt(2 / fan-out) (He
et al., ICCV 2015; fan-out of one group), linear layers uniform in +-1/sqrt(fan-in), biases 0, batch normalisation 1 and
0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from evonas_cli.network.ops import Settings, Shape, conv_padding
from evonas_cli.nn.dropout import Dropout

Builder: TypeAlias = Callable[[Sequence[Shape], Settings, torch.Generator], nn.Module]


class GlobalAvgPool(nn.Module):
    """Mean over height and width: (batch, channels, height, width) to (batch, channels)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


class Add(nn.Module):
    """Sum of any number of tensors of the same shape."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        total = first
        for other in others:
            total = total + other
        return total


class Concat(nn.Module):
    """Concatenation along channels or features."""

    def forward(self, *xs: Tensor) -> Tensor:
        return torch.cat(xs, 1)


class Zero(nn.Module):
    """Zeros, of every `stride`-th pixel; no gradient flows through."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x if self.stride == 1 else x[:, :, :: self.stride, :: self.stride])


class Shift(nn.Module):
    """The map moved by one pixel: out[h, w] = in[h + 1, w + 1], zeros in the last row and column."""

    def forward(self, x: Tensor) -> Tensor:
        return pad(x[:, :, 1:, 1:], (0, 1, 0, 1))


class Pad(nn.Module):
    """The map brought to a height and width with zeros below and to the right."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width

    def forward(self, x: Tensor) -> Tensor:
        return pad(x, (0, self.width - x.shape[3], 0, self.height - x.shape[2]))


def conv(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """A convolution with the padding of `conv_padding`."""
    kernel = (settings["kernel_h"], settings["kernel_w"])
    dilation, groups = settings["dilation"], settings["groups"]
    layer = nn.Conv2d(
        shapes[0][0],
        settings["channels"],
        kernel,
        stride=(settings["stride_h"], settings["stride_w"]),
        padding=conv_padding(settings),
        dilation=dilation,
        groups=groups,
        bias=bool(settings["bias"]),
        device="meta",
    ).to_empty(device="cpu")
    fan_out = settings["channels"] // groups * kernel[0] * kernel[1]
    with torch.no_grad():
        layer.weight.normal_(0, settings["gain"] * sqrt(2 / fan_out), generator=generator)
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


def linear(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """A fully connected layer."""
    layer = nn.Linear(shapes[0][0], settings["features"], bias=bool(settings["bias"]), device="meta")
    layer.to_empty(device="cpu")
    bound = 1 / sqrt(shapes[0][0])
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


def batch_norm(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Batch normalisation of a map or a vector, with trainable scale (1 at first) and offset (0)."""
    return nn.BatchNorm2d(shapes[0][0]) if len(shapes[0]) == 3 else nn.BatchNorm1d(shapes[0][0])


def max_pool(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Maximum over windows; padding never wins."""
    return nn.MaxPool2d(settings["kernel"], settings["stride"], settings["padding"])


def avg_pool(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Mean over windows; padding does not count."""
    return nn.AvgPool2d(settings["kernel"], settings["stride"], settings["padding"], count_include_pad=False)


BUILDERS: dict[str, Builder] = {
    "conv": conv,
    "batch_norm": batch_norm,
    "relu": lambda shapes, settings, generator: nn.ReLU(),
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "global_avg_pool": lambda shapes, settings, generator: GlobalAvgPool(),
    "flatten": lambda shapes, settings, generator: nn.Flatten(),
    "linear": linear,
    "add": lambda shapes, settings, generator: Add(),
    "concat": lambda shapes, settings, generator: Concat(),
    "identity": lambda shapes, settings, generator: nn.Identity(),
    "zero": lambda shapes, settings, generator: Zero(settings["stride"]),
    "shift": lambda shapes, settings, generator: Shift(),
    "pad": lambda shapes, settings, generator: Pad(settings["height"], settings["width"]),
    "dropout": lambda shapes, settings, generator: Dropout(settings["rate"]),
}
"""Builders by operation: from the input shapes, the settings and a CPU generator for the initial weights."""
