"""Inputs and targets as a source gives them, and the checks every source of arrays goes through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.data.boxes import is_box
from evonas_cli.data.targets import Targets, targets

Images: TypeAlias = NDArray[Any]
"""(N, C, H, W), uint8 or float32 once checked; any number type before."""
Inputs: TypeAlias = NDArray[Any]
"""Images, vectors (N, F) or series (N, C, L), float32 once checked, or token ids (N, L), int64."""
Labels: TypeAlias = NDArray[Any]
"""Targets. Once checked: classes (N,) int64, labels (N, K) float32 of 0 and 1, numbers (N, K) float64, boxes (N, K, 5)
float32 (`data.boxes`)."""
NOUNS = {2: "vectors", 3: "series", 4: "images"}
"""What inputs are called, by the number of their axes."""
_TYPES = {"b": "truth values", "i": "numbers", "u": "numbers", "f": "numbers", "U": "words", "S": "words"}


class Digest(Protocol):
    """A hash in the making, as hashlib has them."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Takes more bytes."""


@dataclass(frozen=True, kw_only=True)
class Arrays:
    """A whole data set.

    Inputs are images (N, C, H, W), vectors (N, F) or series (N, C, L); targets are of any form that `data.targets`
    reads. Parts that the source does not have are None. `kind` is what the targets are taken for, or auto. `names` are
    those of the classes, labels or numbers, where the source knows them. `notes` are lines for people on what the
    source has found. `preparation` says how raw inputs became these, as for `Splits`. `groups`, (N,) of words or
    integers, are those of the training examples (`Targets`), from which the source's missing parts are drawn; None:
    there are none. `checked` gives inputs, targets and groups their final types, and `kind` and `names` their values.
    """

    x_train: Inputs
    y_train: Labels
    x_test: Inputs | None = None
    y_test: Labels | None = None
    x_valid: Inputs | None = None
    y_valid: Labels | None = None
    kind: str = "classes"
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    preparation: Mapping[str, Any] = field(default_factory=dict)
    groups: NDArray[Any] | None = None

    def parts(self) -> Iterator[tuple[str, Inputs | None, Labels | None]]:
        """Name, inputs and targets of the three parts."""
        yield "train", self.x_train, self.y_train
        yield "valid", self.x_valid, self.y_valid
        yield "test", self.x_test, self.y_test

    def own(self) -> dict[str, int]:
        """How many examples the validation and the test part of the source have, where there are such parts."""
        return {name: len(y) for name, _, y in self.parts() if y is not None and name != "train"}

    def update(self, digest: Digest) -> None:
        """Feeds shapes, types and bytes of all parts to a hash."""
        for name, x, y in self.parts():
            for array in (x, y):
                if array is not None:
                    digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
                    digest.update(np.ascontiguousarray(array).data)
        if self.groups is not None:
            digest.update(b"groups")
            digest.update(np.ascontiguousarray(self.groups, dtype="<i8").data)


def checked(arrays: Arrays, where: str) -> Arrays:
    """The arrays in their final types. `where` names the source in messages.

    Raises UsageError for inputs that are not numbers, not finite or of different shapes, for counts of inputs and
    targets that differ, for targets that `data.targets` refuses, and for data from which nothing can be learned: a
    single class, a class without training examples, a label or number that never changes, or a part whose inputs are
    all the same.
    """
    parts: dict[str, Any] = {}
    given: dict[str, Labels] = {}
    for name, x, y in arrays.parts():
        if (x is None) != (y is None):
            raise UsageError(f"{where}: the {name} part has only one of inputs and targets; give both or neither")
        if x is not None and y is not None:
            parts[f"x_{name}"], given[name] = _inputs(x, f"{where}: x_{name}"), y
            _check_pair(parts[f"x_{name}"], y, arrays.x_train, f"{where}: the {name} part")
    found = all_targets(given, arrays.kind, where, arrays.names)
    for name, part in found.items():
        parts[f"y_{name}"] = part.y
    for name in given:
        _check_variance(parts[f"x_{name}"], f"{where}: the {name} part")
    groups = None if arrays.groups is None else numbered(arrays.groups, len(arrays.y_train), f"{where}: groups")
    return replace(arrays, **parts, kind=found["train"].kind, names=found["train"].names, groups=groups)


def numbered(groups: NDArray[Any], n: int, where: str) -> NDArray[np.int64]:
    """Groups (n,) as numbers from 0, in the order of the sorted values. `where` names the array in messages.

    Raises UsageError unless there is a word or an integer for each of the `n` training examples.
    """
    if groups.dtype.kind not in "iuUS":
        raise UsageError(f"{where} has type {groups.dtype}; groups are words or integers")
    if groups.shape != (n,):
        raise UsageError(f"{where} has shape {groups.shape}, but there are {n} training examples; give each one group")
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def all_targets(given: Mapping[str, Labels], kind: str, where: str, names: tuple[str, ...] = ()) -> dict[str, Targets]:
    """The targets of each part, read as those of one data set; `names` as in Arrays. Raises as `checked`."""
    types = {name: _TYPES.get(y.dtype.kind, str(y.dtype)) for name, y in given.items()}
    for name, y in given.items():
        if types[name] != types["train"]:
            raise UsageError(
                f"{where}: y_train has {types['train']} and y_{name} has {types[name]}; give all parts one type"
            )
        if y.shape[1:] != given["train"].shape[1:]:
            raise UsageError(
                f"{where}: y_{name} has shape {y.shape} and y_train {given['train'].shape}; only the first length may "
                "differ"
            )
    label = f"{where}: " + " and ".join(f"y_{name}" for name in given) if len(given) > 1 else f"{where}: y_train"
    together = targets(np.concatenate(list(given.values())), kind, label, names if kind == "boxes" else ())
    if len(names) == together.outputs:
        together = replace(together, names=names)
    ends = np.cumsum([len(y) for y in given.values()])
    pieces = dict(zip(given, np.split(together.y, ends[:-1]), strict=True))
    found = {name: replace(together, y=y) for name, y in pieces.items()}
    checks = {"classes": _check_classes, "boxes": _check_boxes}
    checks.get(together.kind, _check_columns)(found, where)
    return found


def _check_boxes(found: Mapping[str, Targets], where: str) -> None:
    """Raises UsageError for a training part without boxes."""
    if not is_box(found["train"].y).any():
        raise UsageError(f"{where}: no training image has a box; there is nothing to find, so give some images boxes")


def _check_classes(found: Mapping[str, Targets], where: str) -> None:
    """Raises UsageError for a single class, and for one without training examples."""
    names = found["train"].names
    if len(names) == 1:
        raise UsageError(
            f"{where}: all targets are {names[0]}; there is nothing to tell apart, so give two classes or more"
        )
    counts = np.bincount(found["train"].y, minlength=len(names))
    if counts.min():
        return
    lacking = int(counts.argmin())
    has = [f"y_{part}" for part, one in found.items() if (one.y == lacking).any()]
    holder = f"{has[0]} has the class {names[lacking]}" if has else f"there is a class {names[lacking]}"
    raise UsageError(f"{where}: {holder}, but y_train has no example of it; give every class training examples")


def _check_columns(found: Mapping[str, Targets], where: str) -> None:
    """Raises UsageError for a label or number that has one value only in the training part."""
    train = found["train"]
    for name, column in zip(train.names, train.y.T, strict=True):
        if train.kind == "numbers" and (column == column[0]).all():
            which = "all targets" if train.outputs == 1 else f"all targets of column {name}"
            raise UsageError(f"{where}: {which} in y_train are {column[0]:g}; there is nothing to predict")
    if train.kind == "labels" and (train.y == train.y[0]).all():
        raise UsageError(f"{where}: all rows of y_train have the same labels; there is nothing to tell apart")


def _inputs(x: Inputs, where: str) -> Inputs:
    """Bytes of images as they are, anything else as float32."""
    if x.ndim not in NOUNS or 0 in x.shape[1:]:
        raise UsageError(
            f"{where} has shape {x.shape}; images are (N, C, H, W), vectors (N, features), series (N, channels, length)"
        )
    if x.dtype == np.uint8 and x.ndim == 4:
        return x
    if x.dtype.kind not in "fiu":
        raise UsageError(f"{where} has type {x.dtype}; {NOUNS[x.ndim]} must be uint8 or float numbers")
    values: NDArray[np.float32] = x.astype(np.float32)
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if not finite.all():
        raise UsageError(
            f"{where} has NaN or infinite values in {int((~finite).sum())} of {len(values)} {NOUNS[x.ndim]}, "
            f"the first at index {int(np.argmin(finite))}; clean the data"
        )
    return values


def _check_pair(x: Inputs, y: Labels, reference: Inputs, where: str) -> None:
    noun = NOUNS[x.ndim]
    if len(x) != len(y):
        raise UsageError(f"{where} has {len(x)} {noun} and {len(y)} targets; the counts must agree")
    if not len(x):
        raise UsageError(f"{where} is empty; leave it out or give it {noun}")
    if x.shape[1:] != reference.shape[1:]:
        raise UsageError(f"{where} has {noun} of shape {x.shape[1:]}, the training part has {reference.shape[1:]}")
    if x.ndim == 4 and (x.dtype == np.uint8) != (reference.dtype == np.uint8):
        raise UsageError(f"{where} is {x.dtype}, the training images are {reference.dtype}; give all the same type")


def _check_variance(x: Inputs, where: str) -> None:
    """Raises UsageError for two inputs or more that are all the same; the first that differs ends the search."""
    if len(x) > 1 and all(np.array_equal(one, x[0]) for one in x[1:]):
        noun = {2: "vector", 3: "series", 4: "image"}[x.ndim]
        raise UsageError(
            f"{where} is {len(x)} times the same {noun}; there is nothing to tell apart, so look at how it was saved"
        )
