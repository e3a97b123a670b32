"""From checked arrays and a division of their examples to what a search may see, and what people are told of it."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.data.arrays import NOUNS, Arrays, Inputs, Labels
from evonas_cli.data.boxes import is_box
from evonas_cli.data.splits import Augmentation, Indices, Splits, moments
from evonas_cli.data.targets import Targets
from evonas_cli.network.detection import outputs
from evonas_cli.network.task import Task

UNBALANCED = 10
"""How many times more training examples than the rarest class the commonest one has before people are told."""
SHOWN = 5
"""Names that a line lists before it stops."""


def prepared(arrays: Arrays, indices: Mapping[str, Indices], augmentation: Augmentation, where: str) -> Splits:
    """Training and validation part; numbers are standardised by the training part.

    Raises UsageError for a validation part in which nothing can be measured.
    """
    train = part_of(arrays, indices, "train")
    valid = part_of(arrays, indices, "valid")
    mean, std = moments(train[0])
    target_mean, target_std = target_moments(train[1]) if arrays.kind == "numbers" else (np.zeros(0), np.ones(0))
    check_valid(Targets(valid[1], task_of(arrays).kind, arrays.names), where)
    scale = (target_mean, target_std)
    return Splits(
        x_train=train[0],
        y_train=standardised(train[1], *scale) if arrays.kind == "numbers" else train[1],
        x_valid=valid[0],
        y_valid=standardised(valid[1], *scale) if arrays.kind == "numbers" else valid[1],
        mean=mean,
        std=std,
        task=task_of(arrays),
        augmentation=augmentation,
        fingerprint=fingerprint_of(arrays, indices),
        names=arrays.names,
        target_mean=target_mean,
        target_std=target_std,
        preparation=arrays.preparation,
        groups=groups_of(arrays.groups, indices),
    )


def groups_of(groups: NDArray[np.int64] | None, indices: Mapping[str, Indices]) -> NDArray[np.int64]:
    """The groups of the training examples and, where these were drawn from the same ones, of the validation examples;
    empty where there are none."""
    if groups is None:
        return np.zeros(0, dtype=np.int64)
    return np.concatenate([groups[indices[part]] for part in ("train", "valid") if part in indices])


def task_of(arrays: Arrays) -> Task:
    """The task of checked arrays. Raises UsageError for images in which a network cannot find boxes."""
    inputs = tuple(arrays.x_train.shape[1:])
    if arrays.kind != "boxes":
        return Task(inputs, len(arrays.names), arrays.kind)  # type: ignore[arg-type]
    try:
        return Task(inputs, outputs(inputs, len(arrays.names)), "boxes")
    except ValueError as error:
        raise UsageError(f"the data set: {error}; pass dataset.size={max(16, inputs[-1] // 16 * 16)}, say") from None


def part_of(arrays: Arrays, indices: Mapping[str, Indices], part: str) -> tuple[Inputs, Labels]:
    """Inputs and targets of a part: the source's own, or those drawn from its training part."""
    x, y = getattr(arrays, f"x_{part}"), getattr(arrays, f"y_{part}")
    if part != "train" and y is not None:
        return x, y
    chosen = indices[part]
    return arrays.x_train[chosen], arrays.y_train[chosen]


def target_moments(y: Labels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each column of numbers (N, K), (K,) float64; a constant one has deviation 1."""
    std = y.std(axis=0, dtype=np.float64)
    return y.mean(axis=0, dtype=np.float64), np.where(std > 0, std, 1.0)


def standardised(y: Labels, mean: NDArray[np.float64], std: NDArray[np.float64]) -> Labels:
    """Numbers (N, K) float32 of which the training part has mean 0 and deviation 1 in each column."""
    return ((y - mean) / std).astype(np.float32)


def check_valid(found: Targets, where: str) -> None:
    """As `check_part` of the validation part."""
    check_part(found, "validation", where)


def check_part(found: Targets, part: str, where: str) -> None:
    """Raises UsageError for a part in which the metrics of the kind have no value: targets all the same."""
    if found.kind == "classes":
        useless = len(found) > 0 and bool((found.y == found.y[0]).all())
        what = f"has the class {found.names[int(found.y[0])]} alone"
    elif found.kind == "labels":
        useless = bool((found.y == found.y[0]).all())
        what = "has no label with both values"
    elif found.kind == "boxes":
        useless = len(found) > 0 and not is_box(found.y).any()
        what = "has no box"
    else:
        useless = bool((found.y == found.y[0]).all(axis=0).any())
        what = "has a number that never changes"
    if useless:
        raise UsageError(
            f"{where}: the {part} part, {len(found)} examples, {what}, so that nothing can be measured on it; "
            "give it more examples"
        )


def fingerprint_of(arrays: Arrays, indices: Mapping[str, Indices]) -> str:
    """SHA-256 over all data and split indices, in hexadecimal."""
    digest = sha256()
    arrays.update(digest)
    for part in sorted(indices):
        digest.update(f"{part} {len(indices[part])}".encode())
        digest.update(np.ascontiguousarray(indices[part], dtype="<i8").data)
    return digest.hexdigest()


def summary(splits: Splits, n_test: int, where: str, said: str = "") -> str:
    """One line on what a source has given; `said` is what the source adds."""
    noun, n, kind = NOUNS[splits.x_train.ndim], len(splits.names), splits.task.kind
    shape = "x".join(map(str, splits.task.inputs))
    kind = "classes" if kind == "boxes" else kind
    what = f"{n} {kind if n > 1 else kind.removesuffix('s')} ({listed_names(splits.names)})"
    counts = f"{len(splits.y_train)} to train, {len(splits.y_valid)} to validate, {n_test} to test"
    return f"{where}: {noun} {shape}, {what}; {counts}{said}"


def listed_names(names: tuple[str, ...]) -> str:
    """The first names, for people."""
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def imbalance(splits: Splits, where: str) -> str | None:
    """One line on classes of very different sizes; None where there is nothing to tell."""
    if splits.task.kind != "classes":
        return None
    counts: Any = np.bincount(splits.y_train, minlength=splits.task.outputs)
    common, rare = int(counts.argmax()), int(counts.argmin())
    if counts[common] <= UNBALANCED * counts[rare]:
        return None
    error = float((splits.y_valid != common).mean())
    return (
        f"{where}: the classes are unbalanced, {counts[common]} training examples of {splits.names[common]} and "
        f"{counts[rare]} of {splits.names[rare]}; always answering {splits.names[common]} has valid_error {error:.3g}, "
        "so see objectives=[valid_balanced_error] and trainer.class_weights=balanced"
    )
