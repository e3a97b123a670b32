"""Convolutions of maps and of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import torch
from torch import Tensor, nn

from evonas_cli.network.map_ops import conv_padding
from evonas_cli.network.op import Settings, Shape
from evonas_cli.network.sequence_ops import conv1d_padding
from evonas_cli.nn.layers.allocation import allocated


class Conv1d(nn.Conv2d):
    """A convolution of sequences, (batch, channels, length), computed on maps one pixel wide.

    Maps share the kernels, and the ways around faults of kernels, that convolutions of maps have.
    """

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.unsqueeze(3)).squeeze(3)


def conv(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """A convolution with the padding of `conv_padding`."""
    layer = nn.Conv2d(
        shapes[0][0],
        settings["channels"],
        (settings["kernel_h"], settings["kernel_w"]),
        stride=(settings["stride_h"], settings["stride_w"]),
        padding=conv_padding(settings),
        dilation=settings["dilation"],
        groups=settings["groups"],
        bias=bool(settings["bias"]),
        device="meta",
    )
    return _drawn(layer, settings, generator)


def conv1d(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """A convolution over the length, with the padding of `conv1d_padding`."""
    layer = Conv1d(
        shapes[0][0],
        settings["channels"],
        (settings["kernel"], 1),
        stride=(settings["stride"], 1),
        padding=(conv1d_padding(settings), 0),
        dilation=(settings["dilation"], 1),
        groups=settings["groups"],
        bias=bool(settings["bias"]),
        device="meta",
    )
    return _drawn(layer, settings, generator)


def _drawn(layer: nn.Conv2d, settings: Settings, generator: torch.Generator) -> nn.Module:
    allocated(layer)
    fan_out = layer.out_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1]
    with torch.no_grad():
        layer.weight.normal_(0, settings["gain"] * sqrt(2 / fan_out), generator=generator)
        if layer.bias is not None:
            layer.bias.zero_()
    return layer
