"""Boxes of objects as targets: (N, K, 5) float32, a row a box of an image, and rows of -1 where an image has fewer.

A row is (class, left, top, right, bottom): the class counted from 0, the sides in pixels of the images that a network
sees, from the left and from the top edge. An image may have no box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError

Box: TypeAlias = tuple[float, float, float, float, float]
"""Class, left, top, right, bottom."""
ABSENT = -1.0


def padded(boxes: Sequence[Sequence[Box]], most: int | None = None) -> NDArray[np.float32]:
    """The boxes of each image as one array; `most` is K (None: the largest number of boxes of an image, at least 1)."""
    width = max(1, max(map(len, boxes), default=1)) if most is None else most
    found = np.full((len(boxes), width, 5), ABSENT, dtype=np.float32)
    for row, own in zip(found, boxes, strict=True):
        if own:
            row[: len(own)] = own
    return found


def is_box(y: NDArray[Any]) -> NDArray[np.bool_]:
    """(N, K): which rows are boxes."""
    there: NDArray[np.bool_] = y[..., 0] >= 0
    return there


def checked_boxes(raw: NDArray[Any], names: Sequence[str], where: str) -> NDArray[np.float32]:
    """The targets in their final type. `names` are those of the classes, `where` names the array in messages.

    Raises UsageError for another shape, for a class without a name, and for boxes without area.
    """
    if raw.ndim != 3 or raw.shape[-1] != 5 or raw.dtype.kind not in "iuf" or 0 in raw.shape:
        raise UsageError(f"{where} has shape {raw.shape} and type {raw.dtype}; boxes are numbers (N, K, 5): class, "
                         "left, top, right, bottom")  # fmt: skip
    y = raw.astype(np.float32)
    there = is_box(y)
    wrong = there & ~((y[..., 0] == np.floor(y[..., 0])) & (y[..., 0] < len(names)))
    if wrong.any():
        image, place = np.argwhere(wrong)[0]
        raise UsageError(f"{where}: box {place} of image {image} has the class {y[image, place, 0]:g}; there are "
                         f"{len(names)} classes, counted from 0")  # fmt: skip
    area = (y[..., 3] > y[..., 1]) & (y[..., 4] > y[..., 2]) & np.isfinite(y).all(-1)
    if (there & ~area).any():
        image, place = np.argwhere(there & ~area)[0]
        raise UsageError(f"{where}: box {place} of image {image} has no area; remove it")
    return y
