"""mixup (Zhang et al., ICLR 2018): each image and its label are blended with those of another image of the batch.

As in the authors' code one share is drawn for a batch, not for an image.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.core.rng import derive, stream


@dataclass(frozen=True)
class Mixes:
    """The random numbers of an epoch: a share for each step, on the host, and partners, a permutation of each batch,
    (steps, size) int64."""

    shares: list[float]
    partners: Tensor

    def to(self, device: torch.device) -> Mixes:
        """The same on another device."""
        return Mixes(self.shares, self.partners.to(device))


def draw(alpha: float, steps: int, size: int, seed: int, epoch: int) -> Mixes:
    """Shares from Beta(alpha, alpha), partners at random, from the run's seed and the epoch, on the CPU."""
    beta = stream(seed, "mixup", epoch)
    shares = [beta.betavariate(alpha, alpha) for _ in range(steps)]
    generator = torch.Generator().manual_seed(derive(seed, "partners", epoch))
    return Mixes(shares, torch.rand((steps, size), generator=generator).argsort(dim=1))


def mix(x: Tensor, y: Tensor, mixes: Mixes, step: int, classes: int) -> tuple[Tensor, Tensor]:
    """The batch of a step, blended."""
    return blend(x, y, mixes.shares[step], mixes.partners[step], classes)


def blend(x: Tensor, y: Tensor, share: float | Tensor, partners: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """share x + (1 - share) x[partners] of images (B, C, H, W) and of labels (B,), which become (B, classes)
    probabilities.

    The cross-entropy of the latter is share CE(y) + (1 - share) CE(y[partners]), with label smoothing, too.
    """
    labels = F.one_hot(y, classes).float()
    return _blend(x.permute(0, 2, 3, 1), share, partners).permute(0, 3, 1, 2), _blend(labels, share, partners)


def _blend(values: Tensor, share: float | Tensor, partners: Tensor) -> Tensor:
    return values.index_select(0, partners).lerp_(values, share)
