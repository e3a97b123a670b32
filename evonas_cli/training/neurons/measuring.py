"""What a population's outputs are worth on a part of the data: sums over its examples, for each member by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from evonas_cli.nn.neurons.program import Program
from evonas_cli.nn.neurons.tables import row_sums
from evonas_cli.training.neurons.columns import Columns, Part

Worth = Callable[[Tensor, Tensor], Tensor]
"""From outputs (members x outputs, width) and targets to a number for each member and example, (members, width)."""


def means(program: Program, part: Part, weights: Tensor, worths: Sequence[Worth]) -> list[Tensor]:
    """For each of `worths` its mean over the part, (members,) float64."""
    totals = [summed(program.forward(piece.inputs, weights), piece, worths) for piece in part.pieces]
    return [sum(own[1:], own[0]).div_(part.count) for own in zip(*totals, strict=True)]


def summed(outputs: Tensor, piece: Columns, worths: Sequence[Worth]) -> list[Tensor]:
    """For each of `worths` its sum over the examples of a piece, (members,) float64."""
    found = []
    for worth in worths:
        each = worth(outputs, piece.targets).to(torch.float64)
        each[:, piece.count :].zero_()
        found.append(row_sums(each))
    return found
