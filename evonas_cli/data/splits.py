"""Stratified selection from a seed, and the training and validation parts that a search sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.data.arrays import Images, Labels
from evonas_cli.network.task import Task

Indices = NDArray[np.int64]
MEMORIES = ("auto", "device", "host")
"""Where the images are kept: where they are computed on, or on the host and copied batch by batch."""
MOST_MAGNITUDE = 30


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random changes of training images: `randaugment` operations an image at `magnitude` of 30, shift by up to `crop`
    pixels, mirroring, a blanked square of side `cutout`, and mixtures of two by a share from Beta(`mixup`, `mixup`)."""

    crop: int = 0
    flip: bool = False
    cutout: int = 0
    mixup: float = 0.0
    randaugment: int = 0
    magnitude: int = 9

    @property
    def moves(self) -> bool:
        """Whether images are shifted, mirrored or blanked."""
        return bool(self.crop or self.flip or self.cutout)


@dataclass(frozen=True, kw_only=True)
class Splits:
    """What a search may see: no test part.

    Inputs are images (N, C, H, W), uint8 or float32 as in the source, vectors (N, F) or series (N, C, L), float32, or
    token ids (N, L), int64. `mean` and `std`, float64, are those of each channel or feature on the scale of the inputs,
    from the training part only (empty for token ids). Targets are classes (N,) int64, labels (N, K) float32 of 0 and 1,
    or numbers (N, K) float32, standardised by `target_mean` and `target_std`, (K,) float64, of the training part.
    `names` are those of the classes, labels or numbers, as far as the source has them. `fingerprint` identifies the
    data and how it was split.
    """

    x_train: Images
    y_train: Labels
    x_valid: Images
    y_valid: Labels
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    task: Task
    augmentation: Augmentation
    fingerprint: str
    names: tuple[str, ...] = ()
    target_mean: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    target_std: NDArray[np.float64] = field(default_factory=lambda: np.ones(0))


def stratified(labels: Labels, n: int, least: int, rng: Random, what: str) -> tuple[Indices, Indices]:
    """Positions of `n` elements drawn class by class, and of the rest, both ascending.

    Every class gives `least` elements (1 or 2); the remaining ones are shared out in proportion to what the classes
    have beyond two, by largest remainder (ties: the lower class). `what` names the selection in messages.
    Raises UsageError when a class has fewer than two elements, or when n is too small or too large to serve all.
    """
    counts = np.bincount(labels)
    if counts.min() < 2:
        raise UsageError(f"{what}: class {counts.argmin()} has {counts.min()} images; every class needs at least 2")
    free, spread = counts - 2, n - least * len(counts)
    if not 0 <= spread <= free.sum():
        lowest = least * len(counts)
        raise UsageError(
            f"{what}: {n} of {len(labels)} images is too {'few' if spread < 0 else 'many'} "
            f"for {len(counts)} classes; choose {lowest} to {lowest + free.sum()} of them"
        )
    shares = least + _largest_remainder(free, spread)
    chosen = np.zeros(len(labels), dtype=bool)
    for label, share in enumerate(shares):
        members = np.flatnonzero(labels == label).tolist()
        chosen[rng.sample(members, int(share))] = True
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


def _largest_remainder(weights: Indices, n: int) -> Indices:
    """`n` shared out over the classes in proportion to integer weights, exactly; never more than a class's weight."""
    total = int(weights.sum())
    if not total:
        return np.zeros_like(weights)
    shares, remainders = weights * n // total, weights * n % total
    first = np.argsort(-remainders, kind="stable")[: n - int(shares.sum())]
    shares[first] += 1
    return shares


def moments(x: Images, chunk: int = 4096) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel, (C,) float64; a constant channel gets deviation 1.

    Two passes over chunks of images, so that no float copy of the whole array is made.
    """
    axes, pixels = (0, 2, 3), len(x) * x.shape[2] * x.shape[3]
    starts = range(0, len(x), chunk)
    total = sum((x[i : i + chunk].sum(axis=axes, dtype=np.float64) for i in starts), np.zeros(x.shape[1]))
    mean = total / pixels
    centre = mean[:, None, None]
    square = sum((np.square(x[i : i + chunk] - centre).sum(axis=axes) for i in starts), np.zeros(x.shape[1]))
    std = np.sqrt(square / pixels)
    return mean, np.where(std > 0, std, 1.0)
