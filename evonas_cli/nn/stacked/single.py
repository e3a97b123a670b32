"""A layer without a stacked form, in a program of one member: its own module between the stacked tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from evonas_cli.network.op import Shape


@dataclass(frozen=True, slots=True)
class Single:
    """Which tensors are the member's own vectors, (1, batch, features), of which its module knows (batch, features).

    Sequences and maps of one member look the same either way. It is no module, so that the member's parameters keep
    the names that they have in a `Network`.
    """

    inputs: tuple[bool, ...]
    output: bool

    @classmethod
    def of(cls, spread: Sequence[bool], shapes: Sequence[Shape], shape: Shape) -> Single:
        """From which inputs are the member's own, their shapes, and that of the output."""
        return cls(tuple(own and len(one) == 1 for own, one in zip(spread, shapes, strict=True)), len(shape) == 1)

    def call(self, layer: nn.Module, inputs: Sequence[Tensor]) -> Tensor:
        """The output as a value of the member's own."""
        own = [x.squeeze(0) if vector else x for x, vector in zip(inputs, self.inputs, strict=True)]
        output: Tensor = layer(*own)
        return output.unsqueeze(0) if self.output else output
