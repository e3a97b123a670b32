"""A recurrent language model as sizes, without torch: embedding, one or more layers of a cell, linear layer."""

from __future__ import annotations

from dataclasses import dataclass

from evonas_cli.network.cell import Cell


@dataclass(frozen=True, slots=True)
class LanguagePlan:
    """A model of `tokens` different tokens around a cell; h and the embedding have `hidden` numbers.

    Each of the `layers` has the cell with weights of its own, and reads h of the layer below.
    """

    cell: Cell
    tokens: int
    hidden: int
    layers: int = 1

    @property
    def parameters(self) -> int:
        """Trainable numbers."""
        embedding, readout = self.tokens * self.hidden, (self.hidden + 1) * self.tokens
        return embedding + self.layers * self.cell.parameters(self.hidden, self.hidden) + readout

    @property
    def multiply_adds(self) -> int:
        """Multiplications with weights for one token."""
        return self.layers * self.cell.multiply_adds(self.hidden, self.hidden) + self.hidden * self.tokens
