"""The data of a diffusion model, as arrays: what is held out, its scale, and the range of the training part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.data.splits import Splits
from evonas_cli.network.samples import Samples, kept
from evonas_cli.network.task import Task

Numbers = NDArray[np.float64]
MOST = 2000
"""Held-out examples that samples are compared to, at most."""


@dataclass(frozen=True)
class Scale:
    """Mean and deviation, and the least and greatest value in the unit of the data, of each feature, or channel, of the
    training part: (F,) or (C,). `task` is that of making samples."""

    task: Task
    mean: Numbers
    deviation: Numbers
    low: Numbers
    high: Numbers

    @classmethod
    def of(cls, splits: Splits) -> Scale:
        """Raises UsageError for data that no diffusion here is made for, and for examples that are to be changed."""
        inputs, how = splits.task.inputs, splits.augmentation
        if len(inputs) not in (1, 3) or splits.task.vocabulary:
            raise UsageError(
                f"job=diffusion makes points or images, but the data has {splits.task.examples}; pass dataset=moons or "
                "dataset=digits"
            )
        if how.moves or how.mixup or how.randaugment:
            raise UsageError(
                "job=diffusion changes no images; set dataset.crop, cutout, mixup, randaugment to 0, flip to false"
            )
        if len(splits.x_valid) < 2:
            raise UsageError("job=diffusion compares samples to held-out examples, of which it needs 2 at least")
        others = (0, *range(2, splits.x_train.ndim))
        low, high = (ends.astype(np.float64) for ends in (splits.x_train.min(others), splits.x_train.max(others)))
        task = replace(splits.task, kind="samples", outputs=prod(inputs))
        return cls(task, splits.mean.astype(np.float64), splits.std.astype(np.float64), low, high)

    @property
    def ends(self) -> tuple[Numbers, Numbers]:
        """The least and the greatest value, standardised."""
        return (self.low - self.mean) / self.deviation, (self.high - self.mean) / self.deviation

    def standardised(self, x: NDArray[Any]) -> Numbers:
        """Examples (N, ...) in the unit of the data with mean 0 and deviation 1."""
        found: Numbers = (x - self._wide(self.mean)) / self._wide(self.deviation)
        return found

    def restored(self, x: Numbers) -> Numbers:
        """The inverse of `standardised`."""
        found: Numbers = x * self._wide(self.deviation) + self._wide(self.mean)
        return found

    def samples(self, x: NDArray[Any]) -> Samples:
        """Examples in the unit of the data as the journal keeps them."""
        return Samples.of(self.task.inputs, self.low.tolist(), self.high.tolist(), x.reshape(-1).tolist())

    def _wide(self, values: Numbers) -> Numbers:
        return values.reshape(-1, *[1] * (len(self.task.inputs) - 1))


def held_out(splits: Splits, seed: int) -> NDArray[Any]:
    """MOST examples of the validation part, or all, in the unit of the data: those that a stream of the run's seed
    draws."""
    there = len(splits.x_valid)
    chosen = sorted(stream(seed, "held out").sample(range(there), min(MOST, there)))
    return splits.x_valid[chosen]


def examples(splits: Splits, seed: int) -> tuple[Samples, str]:
    """Held-out examples, as many as the journal keeps of a candidate's samples, and the data's fingerprint."""
    scale, found = Scale.of(splits), held_out(splits, seed)
    chosen = sorted(stream(seed, "shown").sample(range(len(found)), min(kept(scale.task.inputs), len(found))))
    return scale.samples(found[chosen]), splits.fingerprint
