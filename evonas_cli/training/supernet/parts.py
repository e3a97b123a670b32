"""The examples of an epoch of supernet training: the whole training part, or its two halves side by side."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import derive
from evonas_cli.data.resident import Resident
from evonas_cli.training.batches.batches import Batch, training_batches


class Parts:
    """Batches of `size` examples, or of all where there are fewer. All is a function of the run's seed and the epoch.

    Halves are those of one permutation for the whole run, and are not augmented. Raises UsageError where a half, or the
    validation part, has no examples.
    """

    def __init__(self, data: Resident, size: int, run_seed: int, halves: bool) -> None:
        self._data, self._seed = data, run_seed
        self._halves = _halves(data.n_train, run_seed) if halves else ()
        count = min([len(half) for half in self._halves] or [data.n_train])
        if count == 0:
            raise UsageError(
                "this rule trains weights on one half of the training part and operations on the other, and there is "
                "only one example; use more data, or strategy=one_shot"
            )
        self.size = min(size, count)
        self.steps = count // self.size

    def epoch(self, epoch: int) -> Iterator[tuple[Batch, Batch | None]]:
        """Pairs of a batch for the weights and, of halves, one for the operations."""
        if not self._halves:
            for batch in training_batches(self._data, self.size, self._seed, epoch):
                yield batch, None
            return
        first, second = (self._shuffled(number, epoch) for number in (0, 1))
        yield from zip(self._data.fed(first), self._data.fed(second), strict=True)

    def _shuffled(self, number: int, epoch: int) -> list[Tensor]:
        half = self._halves[number]
        generator = torch.Generator().manual_seed(derive(self._seed, "half", number, epoch))
        order = half[torch.randperm(len(half), generator=generator)][: self.steps * self.size]
        return [self._there(index) for index in torch.split(order, self.size)]

    def _there(self, index: Tensor) -> Tensor:
        return index if self._data.streams else index.to(self._data.device)


def _halves(count: int, run_seed: int) -> tuple[Tensor, Tensor]:
    order = torch.randperm(count, generator=torch.Generator().manual_seed(derive(run_seed, "halves")))
    return order[: count // 2], order[count // 2 :]


def measuring_batches(data: Resident, size: int, run_seed: int, examples: int | None) -> list[Tensor]:
    """Indices of the training examples on which statistics are measured, in batches of `size` or of all of them; what
    fills no batch is left out."""
    order = data.epoch_order(run_seed, 0)
    order = order if examples is None else order[:examples]
    size = min(size, len(order))
    return list(torch.split(order[: len(order) // size * size], size))
