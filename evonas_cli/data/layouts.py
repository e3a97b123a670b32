"""Which axis of an array means what: images, vectors or series, from its shape and type alone.

| array | reading |
| --- | --- |
| (N, F) | vectors of F features |
| (N, C, L), L more than twice C | series of C channels and L steps: no picture is that wide |
| (N, H, W) of bytes, H and W above 1 | grey images, since bytes are what pixels are |
| any other (N, A, B) | refused: series or grey images |
| (N, C, H, W) or (N, H, W, C), C 1 or 3 | images |
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.data.arrays import Inputs

LAYOUTS = ("auto", "image", "vector", "series")
AXES = {"vector": 1, "series": 2, "image": 3}
"""How many axes an input of a layout has."""
CHANNELS = (1, 3)
NARROW = 2
"""A picture's longer side is at most so many times the shorter one, where the sides have to tell it from a series."""


def layout_of(shape: tuple[int, ...], kind: DTypeLike, where: str) -> str:
    """image, vector or series, for an array of this shape and type. Raises UsageError where there are two readings."""
    if len(shape) == 2:
        return "vector"
    if len(shape) == 4:
        return "image"
    if len(shape) != 3:
        raise UsageError(
            f"{where} has shape {shape}; inputs are vectors (N, features), series (N, channels, steps), or images "
            "(N, H, W), (N, H, W, C) or (N, C, H, W)"
        )
    _, first, second = shape
    if np.dtype(kind) == np.uint8:
        if min(first, second) > 1:
            return "image"
    elif second > NARROW * first:
        return "series"
    raise UsageError(
        f"{where} has shape {shape}, which may be series of {first} channels and {second} steps "
        f"(dataset.layout=series) or grey images of {first} x {second} pixels (dataset.layout=image); pass one of them"
    )


def laid_out(x: NDArray[Any], layout: str, where: str) -> Inputs:
    """The array as vectors (N, F), series (N, C, L) or images (N, C, H, W), by a layout or auto.

    A series of (N, L) has one channel. Raises UsageError for a shape that does not have the layout, or has two.
    """
    layout = layout_of(x.shape, x.dtype, where) if layout == "auto" else layout
    if layout == "image":
        return channels_first(x, where)
    if layout == "series" and x.ndim == 2:
        return x[:, None]
    if x.ndim != AXES[layout] + 1:
        wanted = "(N, features)" if layout == "vector" else "(N, channels, steps) or (N, steps)"
        raise UsageError(f"{where} has shape {x.shape}; dataset.layout={layout} needs {wanted}")
    return x


def channels_first(x: NDArray[Any], where: str) -> Inputs:
    """Images as (N, C, H, W). Raises UsageError when the shape fits no layout, or two."""
    if x.ndim == 3:
        return x[:, None]
    if x.ndim != 4:
        raise UsageError(f"{where} has shape {x.shape}; images are (N, H, W), (N, H, W, C) or (N, C, H, W)")
    first, last = x.shape[1] in CHANNELS, x.shape[3] in CHANNELS
    if first == last:
        problem = "could have its channels first or last" if first else "has no axis of 1 or 3 channels"
        raise UsageError(f"{where} has shape {x.shape}, which {problem}; save it as (N, C, H, W) with C 1 or 3")
    return x if first else np.ascontiguousarray(x.transpose(0, 3, 1, 2))
