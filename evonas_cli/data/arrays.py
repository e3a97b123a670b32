"""Images and labels as a source gives them, and the checks every source goes through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError

Images: TypeAlias = NDArray[Any]
"""(N, C, H, W), uint8 or float32 once checked; any number type before."""
Inputs: TypeAlias = NDArray[Any]
"""Images, vectors (N, F) or series (N, C, L), float32 once checked, or token ids (N, L), int64."""
Labels: TypeAlias = NDArray[Any]
"""(N,), int64 once checked; any number type before."""


class Digest(Protocol):
    """A hash in the making, as hashlib has them."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Takes more bytes."""


@dataclass(frozen=True, kw_only=True)
class Arrays:
    """A whole data set.

    Images are (N, C, H, W), uint8 or float32; labels are (N,), int64, 0 to `classes` - 1. Parts that the source does
    not have are None. A source may leave number types and `classes` to `checked`. `notes` are lines for people on what
    the source has found.
    """

    x_train: Images
    y_train: Labels
    x_test: Images | None = None
    y_test: Labels | None = None
    x_valid: Images | None = None
    y_valid: Labels | None = None
    classes: int = 0
    notes: tuple[str, ...] = ()

    def parts(self) -> Iterator[tuple[str, Images | None, Labels | None]]:
        """Name, images and labels of the three parts."""
        yield "train", self.x_train, self.y_train
        yield "valid", self.x_valid, self.y_valid
        yield "test", self.x_test, self.y_test

    def update(self, digest: Digest) -> None:
        """Feeds shapes, types and bytes of all parts to a hash."""
        for name, x, y in self.parts():
            for array in (x, y):
                if array is not None:
                    digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
                    digest.update(np.ascontiguousarray(array).data)


def checked(arrays: Arrays, where: str) -> Arrays:
    """The arrays in their final types, with `classes` counted. `where` names the source in messages.

    Raises UsageError for images that are not numbers, not finite or of different shapes, for counts of images and
    labels that differ, for labels that are not the integers 0 to K - 1, and for data from which nothing can be learned:
    a single class, or a part whose images are all the same.
    """
    parts: dict[str, Any] = {}
    for name, x, y in arrays.parts():
        if (x is None) != (y is None):
            raise UsageError(f"{where}: the {name} part has only one of images and labels; give both or neither")
        if x is not None and y is not None:
            parts[f"x_{name}"] = _images(x, f"{where}: x_{name}")
            parts[f"y_{name}"] = _labels(y, f"{where}: y_{name}")
            _check_pair(parts[f"x_{name}"], parts[f"y_{name}"], arrays.x_train, f"{where}: the {name} part")
    classes = int(parts["y_train"].max()) + 1
    for name in ("valid", "test"):
        labels = parts.get(f"y_{name}")
        if labels is not None and labels.max() >= classes:
            raise UsageError(
                f"{where}: y_{name} has label {labels.max()}, but y_train has only 0 to {classes - 1}; "
                "give every class training images"
            )
    present = np.unique(parts["y_train"])
    if len(present) != classes:
        absent = int(np.argmax(present != np.arange(len(present))))
        raise UsageError(
            f"{where}: labels must be the integers 0 to K-1, but y_train reaches {classes - 1} and has no {absent}; "
            "renumber them"
        )
    if classes == 1:
        raise UsageError(f"{where}: all labels are 0; there is nothing to tell apart, so give two classes or more")
    for name in ("train", "valid", "test"):
        if f"x_{name}" in parts:
            _check_variance(parts[f"x_{name}"], f"{where}: the {name} part")
    return replace(arrays, **parts, classes=classes)


def _images(x: Images, where: str) -> Images:
    if x.dtype == np.uint8:
        return x
    if x.dtype.kind not in "fiu":
        raise UsageError(f"{where} has type {x.dtype}; images must be uint8 or float numbers")
    values: NDArray[np.float32] = x.astype(np.float32)
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if not finite.all():
        raise UsageError(
            f"{where} has NaN or infinite values in {int((~finite).sum())} of {len(values)} images, "
            f"the first at index {int(np.argmin(finite))}; clean the data"
        )
    return values


def _labels(y: Labels, where: str) -> Labels:
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise UsageError(f"{where} has shape {y.shape}; labels must be one integer for each image")
    if y.dtype.kind not in "biuf" or (y.dtype.kind == "f" and not np.array_equal(y, np.round(y.astype(np.float64)))):
        raise UsageError(f"{where} has labels that are not integers (type {y.dtype}); give class numbers 0 to K-1")
    labels = y.astype(np.int64)
    if len(labels) and labels.min() < 0:
        raise UsageError(f"{where} has the negative label {labels.min()}; give class numbers 0 to K-1")
    return labels


def _check_pair(x: Images, y: Labels, reference: Images, where: str) -> None:
    if len(x) != len(y):
        raise UsageError(f"{where} has {len(x)} images and {len(y)} labels; the counts must agree")
    if not len(x):
        raise UsageError(f"{where} is empty; leave it out or give it images")
    if x.ndim != 4 or 0 in x.shape:
        raise UsageError(f"{where} has images of shape {x.shape[1:]}; channels x height x width is needed")
    if x.shape[1:] != reference.shape[1:]:
        raise UsageError(f"{where} has images of shape {x.shape[1:]}, the training images are {reference.shape[1:]}")
    if (x.dtype == np.uint8) != (reference.dtype == np.uint8):
        raise UsageError(f"{where} is {x.dtype}, the training images are {reference.dtype}; give all the same type")


def _check_variance(x: Images, where: str) -> None:
    """Raises UsageError for two images or more that are all the same; the first that differs ends the search."""
    if len(x) > 1 and all(np.array_equal(image, x[0]) for image in x[1:]):
        raise UsageError(
            f"{where} is {len(x)} times the same image; there is nothing to tell apart, so look at how it was saved"
        )
