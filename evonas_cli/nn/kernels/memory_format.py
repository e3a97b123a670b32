"""The order in memory of feature maps, (batch, channels, height, width), and of their gradients.

Removal condition: torch's operators are as fast where grad_output and feature maps have different orders in memory."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def order(x: Tensor) -> torch.memory_format:
    """The layout of maps, as far as their strides tell."""
    last = x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format


def channels_last_on_cpu(x: Tensor) -> bool:
    """Whether these are maps that CPUs compute on pixel by pixel, all channels of one at once."""
    return x.dim() == 4 and x.device.type == "cpu" and order(x) == torch.channels_last


def ordered(x: Tensor) -> Tensor:
    """The maps, whose gradient will be given on in their own order.

    For views that change the order: an operation whose gradient and map lie differently takes several times as long as
    one that first copies the gradient.
    """
    return cast(Tensor, _Ordered.apply(x)) if x.dim() == 4 and order(x) == torch.channels_last else x


class _Ordered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        return slope.contiguous(memory_format=torch.channels_last)
