"""Cross-validation: the training and the validation part divided into folds, each validating once (Stone, 1974).

For K folds a network is trained K times, on all folds but one, and measured on that one. With few examples the mean of
these measures has a smaller variance than one validation part of the same size, at K times the cost (Kohavi, 1995).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.data.preparing import check_valid
from evonas_cli.data.splits import Splits
from evonas_cli.data.targets import Targets

Numbers = NDArray[np.int64]


def folds_of(splits: Splits, count: int, seed: int, where: str) -> Numbers:
    """The fold, from 0 to `count` - 1, of each training and then of each validation example, (N,).

    Folds differ by at most one example, and so do the counts of each class in them. With groups whole groups are in a
    fold, the largest first, each to the fold that has the fewest examples. `where` names the data in messages. Raises
    UsageError for fewer examples, examples of a class, or groups than folds, for a validation part whose groups are not
    known, and for a fold on which nothing can be measured.
    """
    y = np.concatenate([splits.y_train, splits.y_valid])
    rng = stream(seed, "folds")
    shuffled = np.array(rng.sample(range(len(y)), len(y)), dtype=np.int64)
    if len(splits.groups):
        _check_groups(splits, count, where)
        numbers = _whole_groups(splits.groups, shuffled, count)
    else:
        _check_enough(splits, y, count, where)
        order = shuffled[np.argsort(y[shuffled], kind="stable")] if splits.task.kind == "classes" else shuffled
        numbers = np.empty(len(y), dtype=np.int64)
        numbers[order] = np.arange(len(y)) % count
    for number in range(count):
        _check_fold(splits, y, numbers == number, f"{where}: fold {number + 1} of job.folds={count}")
    return numbers


def fold(splits: Splits, numbers: Numbers, number: int) -> Splits:
    """The splits with the fold `number` as the validation part and all others as the training part.

    What inputs and targets are scaled by stays that of the training part of the splits, so that losses of all folds
    have one unit.
    """
    valid = numbers == number
    x = np.concatenate([splits.x_train, splits.x_valid])
    y = np.concatenate([splits.y_train, splits.y_valid])
    return replace(splits, x_train=x[~valid], y_train=y[~valid], x_valid=x[valid], y_valid=y[valid])


def _whole_groups(groups: Numbers, shuffled: Numbers, count: int) -> Numbers:
    """Folds of whole groups; groups of one size take their turn in the shuffled order of their first examples."""
    present, first, inverse = np.unique(groups[shuffled], return_index=True, return_inverse=True)
    sizes = np.bincount(inverse, minlength=len(present))
    filled, chosen = np.zeros(count, dtype=np.int64), np.empty(len(present), dtype=np.int64)
    for group in np.lexsort((first, -sizes)):
        chosen[group] = filled.argmin()
        filled[chosen[group]] += sizes[group]
    numbers = np.empty(len(groups), dtype=np.int64)
    numbers[shuffled] = chosen[inverse]
    return numbers


def _check_groups(splits: Splits, count: int, where: str) -> None:
    if len(splits.groups) != len(splits.y_train) + len(splits.y_valid):
        raise UsageError(
            f"{where}: the training examples have groups and the file's own validation part has not, so that job.folds="
            f"{count} might divide a group; set job.folds=1, or leave the validation part out of the file"
        )
    there = len(np.unique(splits.groups))
    if there < count:
        raise UsageError(
            f"{where}: the training and validation examples are in {there} groups, fewer than job.folds={count}; "
            "lower job.folds"
        )


def _check_enough(splits: Splits, y: NDArray[np.generic], count: int, where: str) -> None:
    if len(y) < count:
        raise UsageError(
            f"{where}: there are {len(y)} training and validation examples, fewer than job.folds={count}; "
            "lower job.folds"
        )
    if splits.task.kind != "classes":
        return
    counts = np.bincount(y.astype(np.int64), minlength=splits.task.outputs)
    if counts.min() < count:
        rare = int(counts.argmin())
        name = splits.names[rare] if splits.names else rare
        raise UsageError(
            f"{where}: the class {name} has {counts[rare]} training and validation examples, fewer than "
            f"job.folds={count}; lower job.folds, or give the class more examples"
        )


def _check_fold(splits: Splits, y: NDArray[np.generic], valid: NDArray[np.bool_], where: str) -> None:
    """Raises UsageError for a fold on which nothing can be measured, or without which a class has no example."""
    names = splits.names or tuple(map(str, range(splits.task.outputs)))
    check_valid(Targets(y[valid], splits.task.kind, names), where)
    if splits.task.kind != "classes":
        return
    lacking = np.bincount(y[~valid].astype(np.int64), minlength=splits.task.outputs) == 0
    if lacking.any():
        raise UsageError(
            f"{where}: all groups with examples of the class {names[int(lacking.argmax())]} are in this fold, and none "
            "are left to train on; lower job.folds, or choose smaller groups"
        )
