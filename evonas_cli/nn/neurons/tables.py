"""Tables of numbers in which the rows are nodes or links of a population, and the columns are examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from evonas_cli.nn.neurons.order import Numbers, Order

LANES = 16
"""Examples are filled up to a multiple of this, so that every row begins with a cache line and is whole vectors."""


def filled(count: int) -> int:
    """The width of tables for so many examples."""
    return max(1, -(-count // LANES)) * LANES


class Tables:
    """Makes the tables of a program, (rows, `width`) float32 on a device.

    `values` has what each row of the order is, `sums` what a node's function is taken of. Raises ValueError for a width
    of no whole LANES.
    """

    def __init__(self, order: Order, width: int, device: torch.device) -> None:
        if width < LANES or width % LANES:
            raise ValueError(f"a table of {width} columns cannot be made; the width is a multiple of {LANES}")
        self.width, self.device = width, device
        self.values, self.sums = self.table(order.n_rows), self.table(order.n_rows)
        self.values[order.n_inputs].fill_(1.0)
        self.values[order.n_inputs + 1].zero_()

    def table(self, rows: int) -> Tensor:
        """A further one, not filled."""
        return torch.empty(rows, self.width, device=self.device)

    def index(self, numbers: Numbers) -> Tensor:
        """The numbers on the device."""
        return torch.from_numpy(numbers).to(self.device)


def parts(table: Tensor, sizes: Sequence[int]) -> Iterator[Tensor]:
    """Views of the rows in runs of these sizes."""
    start = 0
    for size in sizes:
        yield table[start : start + size]
        start += size


def row_sums(table: Tensor) -> Tensor:
    """The sum of each row, (rows,), in an order that depends on the rows' length alone; the table may be overwritten.

    On CPUs torch sums row by row. Its CUDA kernel divides a row by how many rows there are, so there the right half of
    the columns is added to the left half until one column is left.
    """
    return folded(table) if table.is_cuda else table.sum(1)


def folded(table: Tensor) -> Tensor:
    """The sum of each row by halves, (rows,), as `row_sums` makes it on CUDA devices."""
    width = table.shape[1]
    while width > 1:
        half = (width + 1) // 2
        table[:, : width - half].add_(table[:, half:width])
        width = half
    return table[:, 0]
