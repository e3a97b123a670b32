"""The batches of an epoch as a training takes them: chosen, changed as bytes, normalised, changed as numbers, mixed."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from evonas_cli.data.resident import Resident
from evonas_cli.training import mixup, randaugment
from evonas_cli.training.augment import augment, draw


def training_batches(data: Resident, size: int, run_seed: int, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Images (size, C, H, W) float32 with channels_last strides, and labels: (size,) int64, or with mixup
    (size, classes) float32, probabilities.

    A function of the data, its augmentation, `size`, `run_seed` and `epoch`. All random numbers are drawn before the
    first batch. What the last batch would lack in images is left out.
    """
    how, order = data.augmentation, data.epoch_order(run_seed, epoch)
    steps = len(order) // size
    height, width = data.task.shape[1:]
    moves = draw(how, len(order), height, width, run_seed, epoch).to(data.device) if how.moves else None
    changes = randaugment.draw(how, steps, size, run_seed, epoch).to(data.device) if how.randaugment else None
    mixes = mixup.draw(how.mixup, steps, size, run_seed, epoch).to(data.device) if how.mixup else None
    for step, (x, y) in enumerate(data.drawn(torch.split(order[: steps * size], size))):
        if changes is not None:
            x = randaugment.change(x, changes, step, how.magnitude, data)
        x = data.normalised(x)
        if moves is not None:
            x = augment(x, moves[:, step * size : (step + 1) * size], how)
        yield (x, y) if mixes is None else mixup.mix(x, y, mixes, step, data.task.classes)
