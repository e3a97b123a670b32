"""Positions of a sequence, added to its columns: fixed sines (Vaswani et al., NeurIPS 2017), or learned columns."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evonas_cli.network.op import Settings, Shape


def sinusoids(channels: int, length: int) -> Tensor:
    """(channels, length): channels 2i and 2i + 1 are sine and cosine of position x 10000^(-2i / channels)."""
    pairs = torch.arange(channels, dtype=torch.float32) // 2
    angles = 10000.0 ** (-2 * pairs / channels).unsqueeze(1) * torch.arange(length, dtype=torch.float32)
    odd = (torch.arange(channels) % 2 == 1).unsqueeze(1)
    return torch.where(odd, angles.cos(), angles.sin())


class SinusoidalPositions(nn.Module):
    """(batch, channels, length) plus sines and cosines of the positions; nothing is learned."""

    table: Tensor

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        self.register_buffer("table", sinusoids(channels, length), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table


class LearnedPositions(nn.Module):
    """(batch, channels, length) plus a learned column for each position."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight


def sinusoidal_positions(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """A table of the length of the sequence."""
    return SinusoidalPositions(*shapes[0])


def learned_positions(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Columns of numbers with sd 1, as those of embeddings."""
    return LearnedPositions(torch.empty(shapes[0]).normal_(generator=generator))
