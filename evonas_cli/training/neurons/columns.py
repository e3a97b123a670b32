"""Vectors and targets as columns of tables on the device: a part of a data set in pieces, and batches drawn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evonas_cli.core.rng import derive
from evonas_cli.network.task import Task
from evonas_cli.nn.neurons.tables import filled

WIDEST = 1024
"""Examples that a program computes at once, at most. Memory grows with them; more of them are not faster."""


@dataclass(frozen=True)
class Columns:
    """`count` examples, and copies of the first one up to the width: inputs (F, width), targets (..., width)."""

    inputs: Tensor
    targets: Tensor
    count: int


class Part:
    """A part of a data set, inputs x (N, F) and targets y as `data.splits.Splits` has them.

    On the device the inputs are (F, N) float32, and the targets (N,) 0.0 or 1.0 for two classes, (N,) int64 for more,
    or (K, N) float32 for numbers. `pieces` are all examples in order, in columns of one `width`.
    """

    def __init__(self, x: NDArray[Any], y: NDArray[Any], task: Task, device: torch.device) -> None:
        kind = torch.int64 if task.kind == "classes" and task.outputs > 2 else torch.float32
        self.inputs = torch.tensor(np.ascontiguousarray(x.T), dtype=torch.float32, device=device)
        self.targets = torch.tensor(np.ascontiguousarray(y.T), dtype=kind, device=device)
        self.count, self.device = len(x), device
        self.width = min(WIDEST, filled(self.count))
        spans = torch.split(torch.arange(self.count), self.width)
        self.pieces = [self.columns(_padded(span, self.width).to(device), len(span)) for span in spans]

    def columns(self, index: Tensor, count: int) -> Columns:
        """The examples at an index, (width,) on the device, of which `count` are meant."""
        return Columns(self.inputs.index_select(-1, index), self.targets.index_select(-1, index), count)


class Batches:
    """Batches of `size` examples for a number of updates: permutations of the part, one behind the other, cut up.

    They depend on the run's seed alone, so that all candidates see the same ones. `size` None stands for the whole part
    in its own order, every time.
    """

    def __init__(self, part: Part, size: int | None, updates: int, seed: int) -> None:
        self._part, self._indices, self._counts = part, [], []
        whole = size is None or size >= part.count
        self.size = part.count if size is None or whole else size
        self.width = min(WIDEST, filled(self.size))
        if size is None or whole:
            return
        epochs = -(-updates * size // part.count)
        orders = [_order(part.count, seed, epoch) for epoch in range(epochs)]
        drawn = torch.cat(orders)[: updates * size].view(updates, size)
        for piece in torch.split(drawn, self.width, dim=1):
            self._indices.append(_padded(piece, self.width).to(part.device))
            self._counts.append(piece.shape[1])

    def __getitem__(self, update: int) -> Sequence[Columns]:
        """The examples of an update, in pieces of one width."""
        if not self._indices:
            return self._part.pieces
        pieces = zip(self._indices, self._counts, strict=True)
        return [self._part.columns(index[update], count) for index, count in pieces]


def _order(count: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(derive(seed, "order", epoch)))


def _padded(index: Tensor, width: int) -> Tensor:
    """An index (..., n) with copies of its first number up to the width."""
    more = index[..., :1].expand(*index.shape[:-1], width - index.shape[-1])
    return torch.cat([index, more], dim=-1)
