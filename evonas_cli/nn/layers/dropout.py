"""Dropout (Srivastava et al., JMLR 2014) from 16 random bits a unit: rates are rounded to multiples of 1/65536."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from evonas_cli.network.op import Settings, Shape

LEVELS = 1 << 16


class Dropout(nn.Module):
    """Zeroes units with probability `rate` in training and scales the others by 1 / (1 - rate).

    Bits come from `generator`, or torch's own one of the device.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        return x * kept(tuple(x.shape), [self.rate], x, self.generator)[0] if self.training else x


def kept(
    shape: tuple[int, ...], rates: Sequence[float], like: Tensor, generator: torch.Generator | None = None
) -> list[Tensor]:
    """For each rate the factors of units of a `shape`, (batch, ...): 0 or 1 / (1 - rate), from the same random bits.

    Bits are drawn with channels last, so that maps of either layout get the same ones, and compared as integers, which
    CPUs convert several times as fast as truth values. Type and device are those of `like`.
    """
    order = (shape[0], *shape[2:], shape[1]) if len(shape) == 4 else shape
    words = torch.empty((prod(shape) + 3) // 4, dtype=torch.int64, device=like.device)
    words.random_(-(1 << 63), None, generator=generator)
    bits = words.view(torch.int16)[: prod(shape)].view(order)
    bits = bits.permute(0, 3, 1, 2) if len(shape) == 4 else bits
    factors = []
    for rate in rates:
        level = min(round(rate * LEVELS), LEVELS - 1)
        ones = torch.ge(bits, level - LEVELS // 2, out=torch.empty_like(bits))
        factors.append(ones.to(like.dtype).mul_(LEVELS / (LEVELS - level)))
    return factors


def dropout(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Dropout with the settings' `rate`."""
    return Dropout(settings["rate"])
