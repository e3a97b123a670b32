"""Batch normalisation of a supernet (Ioffe and Szegedy, ICML 2015): no scale, no offset, no running averages.

What is normalised differs from path to path, so that an average over training steps would fit none of them. A path's
statistics are measured anew on training data before the path is scored (Guo et al., ECCV 2020).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Statistics: TypeAlias = Literal["batch", "measure", "measured"]
"""`batch`: those of the batch. `measure`: the same, which enter the averages, too. `measured`: these averages."""

EPSILON = 1e-5


class PathNorm(nn.Module):
    """(batch, channels, ...) to the same shape; the statistics are no part of the state."""

    def __init__(self) -> None:
        super().__init__()
        self.statistics: Statistics = "batch"
        self.forget()

    def forget(self) -> None:
        """The measured averages begin anew."""
        self._mean: Tensor | None = None
        self._variance: Tensor | None = None
        self._batches = 0

    def forward(self, x: Tensor) -> Tensor:
        if self.statistics == "measured":
            if self._mean is None:
                raise RuntimeError("the statistics of a normalisation were not measured")
            return F.batch_norm(x, self._mean, self._variance, eps=EPSILON)
        if self.statistics == "measure":
            self._measure(x)
        return F.batch_norm(x, None, None, training=True, eps=EPSILON)

    @torch.no_grad()
    def _measure(self, x: Tensor) -> None:
        """Each batch enters with equal weight; the variance is the unbiased one, as in torch's running average."""
        dimensions = [d for d in range(x.dim()) if d != 1]
        mean, variance = x.mean(dimensions), x.var(dimensions, unbiased=True)
        self._batches += 1
        if self._mean is None or self._variance is None:
            self._mean, self._variance = mean, variance
        else:
            self._mean = self._mean + (mean - self._mean) / self._batches
            self._variance = self._variance + (variance - self._variance) / self._batches
