"""Operations on the time of P members' sequences, whose token ids are shared."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from evonas_cli.network.op import Shape
from evonas_cli.nn.stacked.form import Layers, check_shared, split


class Reduced(nn.Module):
    """(batch, P x C, L) to (P, batch, C), by the module of one member, which reduces each channel for itself."""

    def __init__(self, parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> None:
        super().__init__()
        check_shared(any(spread[1:]))
        self.width, self.reduce = len(parts), parts[0]

    def forward(self, x: Tensor, *ids: Tensor) -> Tensor:
        return split(self.reduce(x, *ids), 1, self.width).transpose(0, 1)


def masked(parts: Layers, spread: Sequence[bool], shapes: Sequence[Shape]) -> nn.Module:
    """(batch, P x C, L) to the same shape: the module of one member serves, as it masks all channels alike."""
    check_shared(any(spread[1:]))
    return parts[0]
