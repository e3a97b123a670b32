"""Layers with int8 weights. The classes stand in exported files, so they use torch, nn, F and Tensor alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.network.map_ops import conv_padding
from evonas_cli.network.op import Settings, Shape
from evonas_cli.nn.layers.convolution import conv
from evonas_cli.nn.layers.linear import linear

MOST = 127
"""The largest whole number of a weight; -128 is left out, so that a weight and its negative are alike."""


class Int8Linear(nn.Module):
    """(batch, given) to (batch, made), in int8: each input is rounded to 127 steps of its own largest number, the
    products are whole numbers, which torch adds up in 32 bits."""

    weight: Tensor
    scale: Tensor

    def __init__(self, given: int, made: int, bias: bool = True) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(made, given, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(made))
        self.bias = nn.Parameter(torch.zeros(made)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        step = x.abs().amax(1, keepdim=True).clamp(min=1e-30) / 127
        levels = (x / step).round().to(torch.int8)
        if x.shape[1] == 1:  # torch's product of single columns is wrong on CPUs; a second one of zeros adds nothing
            levels, weight = F.pad(levels, (0, 1)), F.pad(self.weight, (0, 1))
        else:
            weight = self.weight
        made = torch._int_mm(levels, weight.t()).float() * step * self.scale
        return made if self.bias is None else made + self.bias


class Int8Conv2d(nn.Module):
    """A convolution of maps whose weights are kept as int8 and computed with in float32: torch has no int8 convolution
    of plain tensors on CPUs."""

    weight: Tensor
    scale: Tensor

    def __init__(
        self,
        given: int,
        made: int,
        kernel: tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.register_buffer("weight", torch.zeros(made, given // groups, *kernel, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(made))
        self.bias = nn.Parameter(torch.zeros(made)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale.view(-1, 1, 1, 1)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


def quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A weight (made, ...) as levels of the same shape, int8, and the scale of each output, (made,): levels x scale is
    the weight but for half a step. An output without weights has scale 1."""
    largest = weight.flatten(1).abs().amax(1)
    scale = torch.where(largest > 0, largest / MOST, torch.ones_like(largest))
    levels = (weight / scale.view(-1, *[1] * (weight.dim() - 1))).round().clamp(-MOST, MOST)
    return levels.to(torch.int8), scale


def linear_int8(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The weights of `linear`, rounded."""
    made = Int8Linear(shapes[0][0], settings["features"], bias=bool(settings["bias"]))
    return _rounded(made, linear(shapes, settings, generator))


def conv_int8(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The weights of `conv`, rounded."""
    made = Int8Conv2d(
        shapes[0][0],
        settings["channels"],
        (settings["kernel_h"], settings["kernel_w"]),
        (settings["stride_h"], settings["stride_w"]),
        conv_padding(settings),
        settings["dilation"],
        settings["groups"],
        bool(settings["bias"]),
    )
    return _rounded(made, conv(shapes, settings, generator))


def _rounded(made: nn.Module, drawn: nn.Module) -> nn.Module:
    """The layer with the weights of a drawn one; biases are 0 at first in both."""
    state = drawn.state_dict()
    state["weight"], state["scale"] = quantised(state["weight"])
    made.load_state_dict(state)
    return made
