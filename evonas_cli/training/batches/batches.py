"""The batches of an epoch as a training takes them: chosen, changed as bytes, normalised, changed as numbers, mixed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from evonas_cli.data.resident import Resident
from evonas_cli.network.augmentation_policies import Step
from evonas_cli.training.batches import mixup, randaugment
from evonas_cli.training.batches.augment import augment, draw
from evonas_cli.training.batches.policy import changed

Batch = tuple[Tensor, Tensor]
"""Images (size, C, H, W) float32 with channels_last strides, and labels: (size,) int64, or with mixup (size, classes)
float32, probabilities."""


def training_batches(
    data: Resident, size: int, run_seed: int, epoch: int, policy: Sequence[Step] = ()
) -> Iterator[Batch]:
    """A function of the data, its augmentation, `policy`, `size`, `run_seed` and `epoch`. All random numbers but those
    of the policy are drawn before the first batch. What the last batch would lack in images is left out.
    """
    how, order = data.augmentation, data.epoch_order(run_seed, epoch)
    steps = len(order) // size
    moves, mixes = _moves(data, size, run_seed, epoch), _mixes(data, size, run_seed, epoch)
    indices = torch.split(order[: steps * size], size)
    fed = _changed(data, indices, run_seed, epoch) if how.randaugment else data.fed(indices)
    for step, (x, y) in enumerate(fed):
        if moves is not None:
            x = augment(x, moves[:, step], how)
        if policy:
            x = changed(x, policy, run_seed, epoch, step)
        yield (x, y) if mixes is None else mixup.mix(x, y, mixes, step, data.task.outputs)


def _changed(data: Resident, indices: Sequence[Tensor], run_seed: int, epoch: int) -> Iterator[Batch]:
    """Batches that RandAugment has changed, normalised."""
    how, size = data.augmentation, len(indices[0])
    changes = randaugment.draw(how, len(indices), size, run_seed, epoch).to(data.device)
    for step, (x, y) in enumerate(data.drawn(indices)):
        yield data.normalised(randaugment.change(x, changes, step, how.magnitude, data)), y


def _moves(data: Resident, size: int, run_seed: int, epoch: int) -> Tensor | None:
    """Draws of shift, flip and cutout, (5, steps, size), or None where nothing moves."""
    how, steps = data.augmentation, data.n_train // size
    if not how.moves:
        return None
    _, height, width = data.task.inputs
    return (
        draw(how, data.n_train, height, width, run_seed, epoch)[:, : steps * size].view(5, steps, size).to(data.device)
    )


def _mixes(data: Resident, size: int, run_seed: int, epoch: int) -> mixup.Mixes | None:
    alpha = data.augmentation.mixup
    return mixup.draw(alpha, data.n_train // size, size, run_seed, epoch).to(data.device) if alpha else None


class Counted:
    """The same batches by a number that lies on the device, from buffers that stay where they are from epoch to epoch,
    as a recorded step needs them. Only for data on the device without RandAugment, whose work differs from batch to
    batch."""

    def __init__(self, data: Resident, size: int, run_seed: int) -> None:
        self._data, self._size, self._seed = data, size, run_seed
        self._tables: _Tables | None = None

    @staticmethod
    def can(data: Resident) -> bool:
        """Whether these data can be taken by number."""
        return not data.streams and not data.augmentation.randaugment

    def begin(self, epoch: int) -> None:
        """Draws the random numbers of an epoch into the buffers."""
        data, size, seed = self._data, self._size, self._seed
        steps = data.n_train // size
        mixes = _mixes(data, size, seed, epoch)
        fresh = _Tables(
            data.epoch_order(seed, epoch)[: steps * size].view(steps, size),
            _moves(data, size, seed, epoch),
            None if mixes is None else torch.tensor(mixes.shares, device=data.device),
            None if mixes is None else mixes.partners,
        )
        if self._tables is None:
            self._tables = fresh
            return
        for old, new in zip(self._tables.all, fresh.all, strict=True):
            if old is not None and new is not None:
                old.copy_(new)

    def at(self, step: Tensor) -> Batch:
        """Batch number `step`, (1,) int64, of the epoch that was begun."""
        assert self._tables is not None
        order, moves, shares, partners = self._tables.all
        assert order is not None
        x, y = next(self._data.fed([order.index_select(0, step)[0]]))
        if moves is not None:
            x = augment(x, moves.index_select(1, step)[:, 0], self._data.augmentation)
        if shares is None or partners is None:
            return x, y
        share, partner = shares.index_select(0, step)[0], partners.index_select(0, step)[0]
        return mixup.blend(x, y, share, partner, self._data.task.outputs)


@dataclass(frozen=True)
class _Tables:
    """What is drawn for an epoch, by step."""

    order: Tensor
    moves: Tensor | None
    shares: Tensor | None
    partners: Tensor | None

    @property
    def all(self) -> tuple[Tensor | None, ...]:
        return self.order, self.moves, self.shares, self.partners
