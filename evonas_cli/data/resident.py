"""The training and validation part as tensors where they are needed: no loader, one shared order of batches.

An image is a row of H x W x C numbers, so that a gathered batch is a view with channels_last strides; any other example
is a row in its own order. Examples keep the type of the source. Numbers are normalised batch by batch; token ids are
passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from math import prod
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from evonas_cli.core.rng import derive
from evonas_cli.data.arrays import Images, Labels
from evonas_cli.data.splits import Splits
from evonas_cli.data.streaming import Streamed
from evonas_cli.network.task import Task

SHARE = 0.25
"""The part of a CUDA device's free memory that images may take before they stay on the host."""


class Resident:
    """Splits on a device, or with `memory` host on the host, from where batches are copied as they are needed.

    `memory` auto: on the device, unless it is a CUDA device of which the images would take more than SHARE of what is
    free. Order, batches and bits are the same either way.
    """

    def __init__(self, splits: Splits, device: torch.device, memory: str = "auto") -> None:
        self.device = device
        self.task = splits.task
        self.augmentation = splits.augmentation
        self.bounds = (0.0, 255.0)
        if splits.x_train.dtype != np.uint8:
            self.bounds = (float(splits.x_train.min()), float(splits.x_train.max()))
        self.mean, self.std, self.target_std = (
            torch.tensor(values, dtype=torch.float32, device=device)
            for values in (splits.mean, splits.std, splits.target_std)
        )
        self._mean, self._std = (_spread(values, self.task) for values in (self.mean, self.std))
        self._y_train = splits.y_train
        self.streams = memory == "host" or (memory == "auto" and _too_large(splits, device))
        held = Streamed if self.streams else Held
        self._train = held(_rows(splits.x_train), torch.tensor(splits.y_train), device)
        self._valid = held(_rows(splits.x_valid), torch.tensor(splits.y_valid), device)
        self._test: Held | Streamed | None = None

    def hold_test(self, x: Images, y: Labels) -> None:
        """Takes the test part, inputs and targets as in `Splits`; until then there is none."""
        self._test = (Streamed if self.streams else Held)(_rows(x), torch.tensor(y), self.device)

    @property
    def tests(self) -> bool:
        """Whether there is a test part."""
        return self._test is not None

    @property
    def n_train(self) -> int:
        """Number of training images."""
        return len(self._train)

    @property
    def n_valid(self) -> int:
        """Number of validation images."""
        return len(self._valid)

    @cached_property
    def class_weights(self) -> Tensor:
        """Weights of the classes, (classes,) float32: their mean over the training examples is 1, and all classes weigh
        the same together."""
        counts = torch.bincount(torch.tensor(self._y_train), minlength=self.task.outputs)
        return (self.n_train / (self.task.outputs * counts)).to(torch.float32).to(self.device)

    def epoch_order(self, seed: int, epoch: int) -> Tensor:
        """A permutation of the training images, (n_train,) int64, where `drawn` and `batch` want their indices.

        It depends on the run's seed and the epoch alone, so all candidates see the same batches, on every device.
        """
        generator = torch.Generator().manual_seed(derive(seed, "order", epoch))
        order = torch.randperm(self.n_train, generator=generator)
        return order if self.streams else order.to(self.device)

    def drawn(self, indices: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """For each index the training images, (B, C, H, W) in the source's type, and labels (B,); fetched ahead of
        their use where they are streamed. The images are the caller's to change."""
        for rows, labels in self._train.picked(indices):
            yield self._shaped(rows), labels

    def fed(self, indices: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """As `drawn`, the images normalised, float32."""
        for rows, labels in self._train.picked(indices):
            yield self._normal(rows if self.task.vocabulary else rows.to(torch.float32)), labels

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised images (B, C, H, W) float32 and labels (B,) of the training images at `index`."""
        return next(self.fed([index]))

    def batches(self, part: Literal["train", "valid", "test"], size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """A part in its own order, not augmented, in batches of `size`, the last one smaller.

        Raises ValueError for a test part that was not given.
        """
        held = {"train": self._train, "valid": self._valid, "test": self._test}[part]
        if held is None:
            raise ValueError("the test part was not given")
        for rows, labels in held.sliced(size):
            yield self._normal(rows if self.task.vocabulary else rows.to(torch.float32, copy=True)), labels

    def normalised(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) of the source's type and scale as new float32 ones with mean 0 and deviation 1."""
        return self._normal(images.permute(0, 2, 3, 1).reshape(len(images), -1).to(torch.float32, copy=True))

    def _normal(self, rows: Tensor) -> Tensor:
        """The examples of rows; numbers are overwritten."""
        return self._shaped(rows if self.task.vocabulary else rows.sub_(self._mean).div_(self._std))

    def _shaped(self, rows: Tensor) -> Tensor:
        if len(self.task.inputs) != 3:
            return rows.view(-1, *self.task.inputs)
        channels, height, width = self.task.inputs
        return rows.view(-1, height, width, channels).permute(0, 3, 1, 2)


class Held:
    """Rows and labels on the device."""

    def __init__(self, rows: Tensor, labels: Tensor, device: torch.device) -> None:
        self._rows, self._labels = rows.to(device), labels.to(device)

    def __len__(self) -> int:
        return len(self._labels)

    def picked(self, indices: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """New rows and labels at each index."""
        for index in indices:
            yield self._rows.index_select(0, index), self._labels.index_select(0, index)

    def sliced(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows and labels in order, as views."""
        yield from zip(torch.split(self._rows, size), torch.split(self._labels, size), strict=True)


def _rows(x: Images) -> Tensor:
    """Images as (N, H x W x C), other examples as (N, numbers); a view of arrays that lie in memory like that."""
    ordered = x.transpose(0, 2, 3, 1) if x.ndim == 4 else x
    return torch.from_numpy(np.require(ordered, requirements=["C", "W"])).flatten(1)


def _spread(values: Tensor, task: Task) -> Tensor:
    """Values of channels or features, in the order of a row."""
    if len(task.inputs) == 3:
        return values.repeat(prod(task.inputs[1:]))
    return values.repeat_interleave(prod(task.inputs[1:]))


def _too_large(splits: Splits, device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return splits.x_train.nbytes + splits.x_valid.nbytes > SHARE * free
