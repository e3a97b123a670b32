"""Selection of parts from a seed, and the training and validation parts that a search sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.data.arrays import Images, Labels
from evonas_cli.data.grouping import whole_groups
from evonas_cli.data.targets import Targets
from evonas_cli.network.task import Task

Indices = NDArray[np.int64]
MEMORIES = ("auto", "device", "host")
"""Where the images are kept: where they are computed on, or on the host and copied batch by batch."""
MOST_MAGNITUDE = 30
FRACTIONS = {"test": 0.2, "valid": 0.1}
"""What `auto` stands for where a source has no such part of its own."""


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
    numbers (N, K) float32, standardised by `target_mean` and `target_std`, (K,) float64, of the training part, or boxes
    (N, K, 5) float32 (`data.boxes`).
    `names` are those of the classes, labels or numbers, as far as the source has them. `fingerprint` identifies the
    data and how it was split. `preparation` says how raw inputs became these (`network.signature`); it is empty for
    arrays that were taken as they are. `groups`, int64, are those of the training and then of the validation
    examples (`Targets`): empty where the source has none, of the training examples alone where it has a validation
    part of its own.
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
    preparation: Mapping[str, Any] = field(default_factory=dict)
    groups: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def joined(splits: Splits) -> Splits:
    """The parts with the validation part at the end of the training part, and no example left to validate.

    Means and deviations stay those of the training part alone, so that the test part is scaled as it was.
    """
    return replace(
        splits,
        x_train=np.concatenate([splits.x_train, splits.x_valid]),
        y_train=np.concatenate([splits.y_train, splits.y_valid]),
        x_valid=splits.x_valid[:0],
        y_valid=splits.y_valid[:0],
    )


def auto_fraction(part: str, n: int, found: Targets) -> float:
    """The fraction of `n` examples that becomes the part where none was asked for: a fifth for the test, a tenth for
    validation; more, up to a half, where that would leave a class or the part without an example."""
    least = found.outputs if found.kind == "classes" else 2
    steps = [FRACTIONS[part], *(tenths / 10 for tenths in range(2, 6))]
    return next((fraction for fraction in steps if round(fraction * n) >= least), steps[-1])


def split_indices(
    found: Targets,
    valid_fraction: float | None,
    test_fraction: float | None,
    limit: int | None,
    seed: int,
    where: str,
    limit_per_class: int | None = None,
) -> dict[str, Indices]:
    """Positions of the examples that go to `train`, and to `test` and `valid` where these have a fraction.

    The test part is drawn first, so that it does not depend on `limit`, which says how many of the other examples are
    kept, and neither depends on `limit_per_class`, which keeps so many training examples of each class: a smaller
    number keeps some of those that a larger one keeps. Classes are drawn stratified, labels and numbers at random;
    with groups whole groups are drawn (`data.grouping`), classes stratified as far as groups allow. Raises UsageError,
    with `where` in the message, for parts that would be empty or lack a class.
    """
    _check_served(found, 1 + sum(fraction is not None for fraction in (valid_fraction, test_fraction)), where)
    rng = stream(seed, "split")
    indices, pool = {}, np.arange(len(found))
    for part, fraction in (("test", test_fraction), ("valid", valid_fraction)):
        if part == "valid" and limit is not None:
            kept, _ = _drawn(found, pool, limit, 2, rng, f"{where}: dataset.limit={limit}")
            pool = pool[kept]
        if fraction is not None:
            what = f"{where}: dataset.{part}_fraction={fraction:g} x {len(pool)}"
            if found.groups is None:
                chosen, rest = _drawn(found, pool, round(fraction * len(pool)), 1, rng, what)
            else:
                chosen, rest = whole_groups(found, pool, fraction, rng, what)
            indices[part], pool = pool[chosen], pool[rest]
    if limit_per_class is not None:
        pool = _few_of_each(found, pool, limit_per_class, rng, f"{where}: dataset.limit_per_class={limit_per_class}")
    return {**indices, "train": pool}


def _few_of_each(found: Targets, pool: Indices, n: int, rng: Random, what: str) -> Indices:
    """Of each class the first `n` examples of the pool in an order that is drawn for it."""
    if found.kind != "classes":
        raise UsageError(
            f"{what} counts examples of classes, but the data has {found.kind}; set dataset.limit_per_class=null, or "
            "dataset.limit"
        )
    kept = []
    for label, name in enumerate(found.names):
        members = pool[found.y[pool] == label].tolist()
        if len(members) < n:
            raise UsageError(
                f"{what}: the training part has {len(members)} examples of the class {name}; pass at most that many"
            )
        kept += rng.sample(members, len(members))[:n]
    return np.array(sorted(kept), dtype=np.int64)


def _check_served(found: Targets, parts: int, where: str) -> None:
    """Raises UsageError for a class with fewer examples than there are parts to draw from it."""
    if found.kind != "classes":
        return
    counts = np.bincount(found.y, minlength=found.outputs)
    rare = int(counts.argmin())
    if counts[rare] < parts:
        raise UsageError(
            f"{where}: class {found.names[rare]} has {counts[rare]} of the {len(found)} examples, but they are divided "
            f"into {parts} parts that each need one; add examples or remove the class"
        )


def _drawn(found: Targets, pool: Indices, n: int, least: int, rng: Random, what: str) -> tuple[Indices, Indices]:
    """Positions in `pool` of the `n` elements drawn and of the rest, both ascending."""
    if found.kind == "classes":
        return stratified(found.y[pool], n, least, rng, what, found.names)
    if not least <= n <= len(pool) - 2 + least:
        raise UsageError(
            f"{what}: {n} of {len(pool)} examples is too {'few' if n < least else 'many'}; "
            f"choose {least} to {len(pool) - 2 + least} of them"
        )
    chosen = np.zeros(len(pool), dtype=bool)
    chosen[rng.sample(range(len(pool)), n)] = True
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


def stratified(
    labels: Labels, n: int, least: int, rng: Random, what: str, names: tuple[str, ...] = ()
) -> tuple[Indices, Indices]:
    """Positions of `n` elements drawn class by class, and of the rest, both ascending.

    Every class gives `least` elements (1 or 2); the remaining ones are shared out in proportion to what the classes
    have beyond two, by largest remainder (ties: the lower class). `what` names the selection in messages, `names` the
    classes. Raises UsageError when a class has fewer than two elements, or when n is too small or too large to serve
    all.
    """
    counts = np.bincount(labels, minlength=len(names))
    if counts.min() < 2:
        rare = int(counts.argmin())
        raise UsageError(
            f"{what}: class {names[rare] if names else rare} has {counts[rare]} of the "
            f"{len(labels)} examples; every class needs at least 2"
        )
    free, spread = counts - 2, n - least * len(counts)
    if not 0 <= spread <= free.sum():
        lowest = least * len(counts)
        raise UsageError(
            f"{what}: {n} of {len(labels)} examples is too {'few' if spread < 0 else 'many'} "
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
    """Mean and standard deviation of each channel or feature, (C,) float64; a constant one gets deviation 1.

    Inputs are images (N, C, H, W), series (N, C, L) or vectors (N, C). Two passes over chunks of them make no float
    copy of the whole array.
    """
    axes, pixels = (0, *range(2, x.ndim)), len(x) * prod(x.shape[2:])
    starts = range(0, len(x), chunk)
    total = sum((x[i : i + chunk].sum(axis=axes, dtype=np.float64) for i in starts), np.zeros(x.shape[1]))
    mean = total / pixels
    centre = mean.reshape(-1, *(1 for _ in x.shape[2:]))
    square = sum((np.square(x[i : i + chunk] - centre).sum(axis=axes) for i in starts), np.zeros(x.shape[1]))
    std = np.sqrt(square / pixels)
    return mean, np.where(std > 0, std, 1.0)
