"""Targets of any form, as a file has them, to numbers that a network can be trained on, and the kind of task they make.

| raw targets, N examples | kind |
| --- | --- |
| words, truth values or integers (N,), from any start and with gaps | classes, named by the sorted values |
| 0 and 1 (N, K), exactly one 1 a row (one-hot) | classes, named 0 to K - 1 |
| 0 and 1 (N, K), any number of 1s a row | labels |
| other floats (N,) or (N, K) | numbers |
| whole numbers written as floats (N,) | classes or numbers: refused, unless the kind is given |
| numbers (N, K, 5): a class and the sides of a box | boxes, where a source gives that kind (`data.boxes`) |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.data.boxes import checked_boxes
from evonas_cli.network.task import Kind

GIVEN_KINDS = ("auto", "classes", "labels", "numbers")
"""What the setting `dataset.kind` may be."""


@dataclass(frozen=True)
class Targets:
    """Classes (N,) int64, labels (N, K) float32 of 0 and 1, numbers (N, K) float64 in the unit of the source, or boxes
    (N, K, 5) float32.

    `names` are those of the classes, the labels, the columns of numbers, or the classes of boxes. `groups`, (N,) int64,
    says which examples must lie in one part, such as those of one patient; None: each may lie in any.
    """

    y: NDArray[Any]
    kind: Kind
    names: tuple[str, ...]
    groups: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def outputs(self) -> int:
        """How many classes, labels, numbers or classes of boxes there are."""
        return len(self.names)


def targets(raw: NDArray[Any], kind: str, where: str, columns: Sequence[str] = ()) -> Targets:
    """The targets of `raw`, (N,) or (N, K), by the table above; `kind` is one of GIVEN_KINDS.

    `columns` names the K columns (default: 0 to K - 1). `where` names the array in messages. Raises UsageError for
    missing values, values of several types, shapes of another form, and targets that are not of the given kind.
    """
    if kind == "boxes":
        return Targets(checked_boxes(raw, columns, where), "boxes", tuple(columns))
    values = _plain(raw[:, 0] if raw.ndim == 2 and raw.shape[1] == 1 else raw, where)
    if values.ndim not in (1, 2) or 0 in values.shape:
        raise UsageError(f"{where} has shape {raw.shape}; targets are (N,) or (N, K)")
    _check_whole(values, where)
    found = kind if kind != "auto" else _kind(values, where)
    names = tuple(columns) or tuple(map(str, range(1 if values.ndim == 1 else values.shape[1])))
    if found == "classes":
        return _classes(values, where, tuple(columns))
    matrix = values[:, None] if values.ndim == 1 else values
    if found == "labels":
        if values.dtype.kind in "US" or not _binary(values):
            raise UsageError(f"{where}: dataset.kind=labels needs a matrix (N, K) of 0 and 1, one column a label")
        return Targets(matrix.astype(np.float32), "labels", names)
    if values.dtype.kind not in "iuf":
        raise UsageError(f"{where} has {_words(values)}; dataset.kind=numbers needs numbers")
    return Targets(matrix.astype(np.float64), "numbers", names)


def _plain(raw: NDArray[Any], where: str) -> NDArray[Any]:
    """The array as words, truth values, integers or floats. Raises UsageError for a mixture and for anything else."""
    if raw.dtype.kind == "S":
        return np.char.decode(raw, "utf-8", "backslashreplace")
    if raw.dtype.kind != "O":
        if raw.dtype.kind not in "biufU":
            raise UsageError(f"{where} has type {raw.dtype}; targets are words, truth values, integers or floats")
        return raw
    first: dict[str, int] = {}
    for index, value in enumerate(raw.ravel()):
        first.setdefault(_type(value), index)
    if len(first) != 1:
        shown = ", ".join(f"{name} (first at {index})" for name, index in sorted(first.items(), key=lambda one: one[1]))
        raise UsageError(f"{where} mixes types of targets: {shown or 'nothing'}; give all targets one type")
    [name] = first
    if name not in _TYPES:
        raise UsageError(f"{where} holds {name}; targets are words, truth values, integers or floats")
    return raw.astype(_TYPES[name])


_TYPES: dict[str, type] = {"words": str, "truth values": bool, "integers": np.int64, "floats": np.float64}


def _type(value: Any) -> str:
    for name, types in (("words", str), ("truth values", bool | np.bool_), ("integers", int | np.integer)):
        if isinstance(value, types):
            return name
    return "floats" if isinstance(value, float | np.floating) else f"objects of type {type(value).__name__}"


def _words(values: NDArray[Any]) -> str:
    return {"b": "truth values", "U": "words"}.get(values.dtype.kind, "numbers")


def _check_whole(values: NDArray[Any], where: str) -> None:
    """Raises UsageError for targets that are missing."""
    if values.dtype.kind == "f":
        bad, what = ~np.isfinite(values), "NaN or infinite values"
    elif values.dtype.kind == "U":
        bad, what = values == "", "empty words"
    else:
        return
    rows = bad if bad.ndim == 1 else bad.any(axis=1)
    if rows.any():
        raise UsageError(
            f"{where} has {what} in {int(rows.sum())} of {len(rows)} targets, the first at index "
            f"{int(np.argmax(rows))}; remove these examples or fill the targets in"
        )


def _binary(values: NDArray[Any]) -> bool:
    return bool(((values == 0) | (values == 1)).all())


def _kind(values: NDArray[Any], where: str) -> Kind:
    """The kind of targets whose kind is `auto`. Raises UsageError where there are two readings."""
    if values.ndim == 2:
        if values.dtype.kind != "U" and _binary(values):
            return "classes" if bool((values.sum(axis=1, dtype=np.int64) == 1).all()) else "labels"
        if values.dtype.kind == "f":
            return "numbers"
        raise UsageError(
            f"{where} has shape {values.shape} of {_words(values)} other than 0 and 1; give one class an example, "
            "(N,), or pass dataset.kind=numbers for integers that are to be predicted as numbers"
        )
    if values.dtype.kind != "f":
        return "classes"
    if np.array_equal(values, np.round(values)):
        raise UsageError(
            f"{where} has whole numbers written as floats, which may be classes (dataset.kind=classes) or numbers to "
            "predict (dataset.kind=numbers); pass one of them"
        )
    return "numbers"


def _classes(values: NDArray[Any], where: str, columns: tuple[str, ...]) -> Targets:
    """Classes 0 to K - 1 in the order of the sorted values."""
    if values.ndim == 2:
        if values.dtype.kind == "U" or not _binary(values) or (values.sum(axis=1) != 1).any():
            raise UsageError(
                f"{where} has shape {values.shape}, but its rows are not one-hot (a single 1 among 0s); give one class "
                "for each example, (N,), or pass dataset.kind=labels"
            )
        names = columns or tuple(map(str, range(values.shape[1])))
        return Targets(values.argmax(axis=1).astype(np.int64), "classes", names)
    if values.dtype.kind == "f":
        if not np.array_equal(values, np.round(values)):
            raise UsageError(f"{where} has numbers that are not whole; dataset.kind=classes needs words or integers")
        values = values.astype(np.int64)
    present, y = np.unique(values, return_inverse=True)
    return Targets(y.astype(np.int64), "classes", tuple(map(str, present.tolist())))
