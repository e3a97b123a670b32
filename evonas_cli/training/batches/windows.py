"""How a part of a corpus is read: in windows of consecutive steps, of several rows side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.data.sequences import Sequences
from evonas_cli.training.extent import PASSES


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive steps of rows side by side.

    Inputs and targets are (T, B), `scored` lists the steps that count, on the CPU; `fresh`: the rows begin here.
    """

    inputs: Tensor
    targets: Tensor
    scored: list[int]
    fresh: bool

    def counted(self, values: Tensor) -> Tensor:
        """Of values (T, B, ...) those of the steps that count, (N, ...)."""
        return (values if len(self.scored) == len(values) else values[self.scored]).flatten(0, 1)


class Reading:
    """A part of a corpus, on a device, that is read in windows of at most `unroll` steps.

    Raises UsageError, which calls the part `name`, when none of its steps counts.
    """

    def __init__(self, part: Sequences, unroll: int, device: torch.device, name: str) -> None:
        if not part.inputs.size or not part.scored.any():
            raise UsageError(f"the {name} part of the data set has no token that is to be predicted; use another one")
        self._inputs = torch.from_numpy(part.inputs).to(device)
        self._targets = torch.from_numpy(part.targets).to(device)
        self._scored: list[bool] = part.scored.tolist()
        self._stream, self.unroll, self.device = part.stream, unroll, device

    def epoch(self, batch_size: int, run_seed: int, epoch: int) -> Iterator[Window]:
        """The whole part once, in an order that depends on the run's seed and the epoch alone.

        The rows are shuffled, and those that do not fill a batch are left out, unless they are the only one. The rows
        of a stream begin at a place drawn from the whole of it, as if its end were joined to its beginning.
        """
        rng = stream(run_seed, "sequences", epoch)
        inputs, targets = self._rows(batch_size, rng.randrange(self._inputs.shape[1]))
        order = torch.tensor(rng.sample(range(len(inputs)), len(inputs)), device=self.device)
        for chosen in torch.split(order, batch_size)[: max(1, len(order) // batch_size)]:
            yield from self._windows(inputs[chosen], targets[chosen])

    def once(self, rows: int) -> Iterator[Window]:
        """The whole part once, in its own order, up to `rows` rows side by side.

        A stream is cut into that many rows, without the rest that fills no row.
        """
        inputs, targets = self._rows(rows, 0)
        for x, y in zip(torch.split(inputs, rows), torch.split(targets, rows), strict=True):
            yield from self._windows(x, y)

    def counts(self, batch_size: int) -> tuple[int, int]:
        """Of an epoch: updates, and tokens in forward passes, three for a window that trains and one for another."""
        updates = passes = 0
        for window in self.epoch(batch_size, 0, 0):
            updates += bool(window.scored)
            passes += (PASSES if window.scored else 1) * window.inputs.numel()
        return updates, passes

    def _rows(self, at_most: int, shift: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets, (rows, T) each; a stream in rows no shorter than a window, unless it has only one."""
        if not self._stream:
            return self._inputs, self._targets
        length = self._inputs.shape[1]
        rows = max(1, min(at_most, length // self.unroll))
        width = length // rows
        x, y = (torch.roll(tokens[0], -shift)[: rows * width] for tokens in (self._inputs, self._targets))
        return x.view(rows, width), y.view(rows, width)

    def _windows(self, inputs: Tensor, targets: Tensor) -> Iterator[Window]:
        pieces = zip(torch.split(inputs.T, self.unroll), torch.split(targets.T, self.unroll), strict=True)
        for start, (x, y) in zip(range(0, inputs.shape[1], self.unroll), pieces, strict=True):
            scored = [step for step in range(len(x)) if self._scored[start + step]]
            yield Window(x, y, scored, fresh=start == 0)
