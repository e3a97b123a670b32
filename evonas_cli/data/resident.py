"""The training and validation part as tensors on the device: no loader, no copies, one shared order of batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from evonas_cli.core.rng import derive
from evonas_cli.data.arrays import Images
from evonas_cli.data.splits import Splits


class Resident:
    """Splits on a device. Bytes stay bytes and are normalised batch by batch; floats are normalised here, once."""

    def __init__(self, splits: Splits, device: torch.device) -> None:
        self.device = device
        self.task = splits.task
        self.augmentation = splits.augmentation
        self._mean = torch.tensor(splits.mean, dtype=torch.float32, device=device).view(1, -1, 1, 1)
        self._std = torch.tensor(splits.std, dtype=torch.float32, device=device).view(1, -1, 1, 1)
        self._x_train = self._images(splits.x_train)
        self._x_valid = self._images(splits.x_valid)
        self._y_train = torch.tensor(splits.y_train, device=device)
        self._y_valid = torch.tensor(splits.y_valid, device=device)

    @property
    def n_train(self) -> int:
        """Number of training images."""
        return len(self._y_train)

    @property
    def n_valid(self) -> int:
        """Number of validation images."""
        return len(self._y_valid)

    def epoch_order(self, seed: int, epoch: int) -> Tensor:
        """A permutation of the training images, (n_train,) int64 on the device.

        It depends on the run's seed and the epoch alone, so all candidates see the same batches, on every device.
        """
        generator = torch.Generator().manual_seed(derive(seed, "order", epoch))
        return torch.randperm(self.n_train, generator=generator).to(self.device)

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised images (B, C, H, W) float32 and labels (B,) of the training images at `index`."""
        return self._normalised(self._x_train[index]), self._y_train[index]

    def batches(self, part: Literal["train", "valid"], size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """A part in its own order, not augmented, in batches of `size`, the last one smaller."""
        x, y = (self._x_train, self._y_train) if part == "train" else (self._x_valid, self._y_valid)
        for start in range(0, len(y), size):
            yield self._normalised(x[start : start + size]), y[start : start + size]

    def _images(self, x: Images) -> Tensor:
        images = torch.from_numpy(np.require(x, requirements=["C", "W"])).to(self.device)
        return images if images.dtype == torch.uint8 else (images - self._mean) / self._std

    def _normalised(self, x: Tensor) -> Tensor:
        return (x.float() - self._mean) / self._std if x.dtype == torch.uint8 else x
