"""Parts of whole groups: all examples of a patient, a speaker or a place lie on one side of a division.

Examples of one group are more alike than those of different groups, so that a part that shares groups with the training
part measures how well a network knows them, not how well it generalises.
"""

from __future__ import annotations

from random import Random

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.data.targets import Targets

Indices = NDArray[np.int64]


def whole_groups(found: Targets, pool: Indices, fraction: float, rng: Random, what: str) -> tuple[Indices, Indices]:
    """Positions in `pool` of the groups that are drawn, which have about `fraction` of its examples, and of the rest,
    both ascending.

    Groups are put in a random order, those of one commonest class together, and drawn along it wherever the share of
    what was passed falls behind by more than half a group: systematic sampling, stratified by that class. `what` names
    the part in messages. Raises UsageError for a part without an example, and where the rest lacks a class.
    """
    assert found.groups is not None
    order, groups, sizes = _ordered(found, pool, rng)
    taken, passed, drawn = 0, 0, np.zeros(len(sizes), dtype=bool)
    for group in order:
        passed += int(sizes[group])
        if taken + sizes[group] / 2 <= fraction * passed:
            drawn[group] = True
            taken += int(sizes[group])
    chosen = drawn[groups]
    if not 0 < taken < len(pool):
        side = "no example" if not taken else "all examples"
        held = "1 group" if len(sizes) == 1 else f"{len(sizes)} groups, the largest of {sizes.max()},"
        raise UsageError(
            f"{what}: the part would have {side}, as groups are not divided and the examples are in {held} in all; "
            "choose another fraction, or a grouping with more and smaller groups"
        )
    _check_classes(found, pool[~chosen], what)
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


def _ordered(found: Targets, pool: Indices, rng: Random) -> tuple[list[int], Indices, Indices]:
    """The groups in the order in which they are drawn; the group of each example of the pool, and each group's size."""
    assert found.groups is not None
    present, groups = np.unique(found.groups[pool], return_inverse=True)
    order = rng.sample(range(len(present)), len(present))
    if found.kind == "classes":
        counts = np.zeros((len(present), found.outputs), dtype=np.int64)
        np.add.at(counts, (groups, found.y[pool]), 1)
        commonest = counts.argmax(axis=1)
        order.sort(key=lambda group: int(commonest[group]))
    return order, groups.astype(np.int64), np.bincount(groups, minlength=len(present))


def _check_classes(found: Targets, rest: Indices, what: str) -> None:
    """Raises UsageError where the examples that stay lack a class."""
    if found.kind != "classes":
        return
    counts = np.bincount(found.y[rest], minlength=found.outputs)
    if not counts.min():
        lacking = found.names[int(counts.argmin())]
        raise UsageError(
            f"{what}: all groups with examples of the class {lacking} would be in this part, and none would be left to "
            "train on; choose a smaller fraction, or a grouping with more groups of that class"
        )
