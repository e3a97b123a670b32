"""Raw examples with their targets, in the order of the classes, labels or numbers that a model gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.data.boxes import checked_boxes
from evonas_cli.data.cells import is_number, numbers, stripped, truths
from evonas_cli.data.class_folders import listed as class_folders
from evonas_cli.data.delimited import Delimited, listed
from evonas_cli.export.preprocessing import Inputs, check_there, from_pictures, plain_words, read_inputs, takes_pictures
from evonas_cli.network.signature import Signature


@dataclass(frozen=True)
class Examples:
    """`x` as `Inputs` has it, and `y`: classes (N,) int64, labels (N, K) float32, numbers (N, K) float64 in their own
    unit, or boxes (N, K, 5) float32 in pixels of the network's images."""

    x: NDArray[Any]
    y: NDArray[Any]


def read_examples(path: Path, signature: Signature, target: Sequence[str] = (), text: str | None = None) -> Examples:
    """The examples that a path holds: a folder of class folders, an .npz file with x and y, or a table.

    `target` names the columns of the targets where they have other names than in training. Raises UsageError, with one
    line, as `read_inputs`, for targets that are missing or of another kind, and for classes that the model does not
    know. A policy has no targets, which is refused as well.
    """
    if signature.task.kind == "actions":
        raise UsageError(
            "the model is a policy, and no data says which action is right; `evonas predict` answers observations"
        )
    if path.is_dir():
        return _from_folders(path, signature)
    found = read_inputs(path, signature, text)
    if found.table is not None:
        return Examples(found.x, _of_table(found.table, signature, target))
    if found.arrays is None:
        boxes = signature.task.kind == "boxes"
        wanted = "an .npz file with x and y" if boxes else "a folder with one folder for each class"
        raise UsageError(f"{path} is a single image; name {wanted}")
    if "y" not in found.arrays:
        raise UsageError(f"{path} has no y; save the targets under the key y")
    return Examples(found.x, _of_array(found.arrays["y"], found, signature, f"{path}: y"))


def _from_folders(path: Path, signature: Signature) -> Examples:
    if signature.task.kind != "classes" or not takes_pictures(signature):
        what = f"{signature.task.kind} for {signature.task.examples}"
        raise UsageError(f"{path} is a folder, but the model gives {what}; name a file of examples")
    with plain_words():
        listing = class_folders(path, nested=any("/" in name for name in signature.names))
    places = _places(list(listing.classes), signature, str(path))
    inputs = from_pictures([image.path for image in listing.images], signature)
    return Examples(inputs.x, np.array([places[image.label] for image in listing.images], dtype=np.int64))


def _places(given: Sequence[str], signature: Signature, where: str) -> list[int]:
    """The place of each given class among those of the model."""
    names = signature.names
    unknown = sorted({name for name in given if name not in names})
    if unknown:
        raise UsageError(
            f"{where}: the model does not know the class{'es' if len(unknown) > 1 else ''} {listed(unknown)}; "
            f"it knows {listed(names)}"
        )
    return [names.index(name) for name in given]


def _of_array(y: NDArray[Any], inputs: Inputs, signature: Signature, where: str) -> NDArray[Any]:
    kind, outputs = signature.task.kind, signature.task.outputs
    if len(y) != len(inputs.x):
        raise UsageError(f"{where} has {len(y)} targets for {len(inputs.x)} inputs; the counts must agree")
    if kind == "classes":
        values = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        if values.ndim == 2 and values.shape[1] == outputs and ((values == 0) | (values == 1)).all():
            return np.asarray(values.argmax(axis=1), dtype=np.int64)
        if values.ndim != 1:
            raise UsageError(f"{where} has shape {y.shape}; classes are one for each input, (N,)")
        present, places = np.unique(values, return_inverse=True)
        return np.array(_places([_word(one) for one in present.tolist()], signature, where), dtype=np.int64)[places]
    if kind == "boxes":
        return checked_boxes(y, signature.names, where)
    matrix = y[:, None] if y.ndim == 1 else y
    if matrix.shape[1:] != (outputs,) or matrix.dtype.kind not in "biuf":
        raise UsageError(
            f"{where} has shape {y.shape} and type {y.dtype}; the model gives {outputs} {kind}, (N, {outputs})"
        )
    return _checked(matrix.astype(np.float64), signature, where)


def _word(value: Any) -> str:
    """A class as the names of a signature write it: 3.0 is the class 3."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _of_table(read: Delimited, signature: Signature, target: Sequence[str]) -> NDArray[Any]:
    columns = list(target) or list(signature.preparation["targets"])
    kind, outputs = signature.task.kind, signature.task.outputs
    wanted = 1 if kind == "classes" else outputs
    if len(columns) != wanted:
        raise UsageError(f"--target names {listed(columns)}; the model needs {wanted} target column(s)")
    check_there(read, columns, "holds the targets; name it with --target")
    where = f"{read.path}: column {columns[0]!r}"
    if kind == "classes":
        cells = stripped(read.columns[columns[0]]).tolist()
        words = [cell if cell in signature.names else _written(cell) for cell in cells]
        return np.array(_places(words, signature, where), dtype=np.int64)
    read_column = numbers if kind == "numbers" else _label
    return _checked(np.stack([read_column(read.columns[name]) for name in columns], axis=1), signature, where)


def _written(cell: str) -> str:
    """A cell as a class is named: whole numbers without a point."""
    return _word(float(cell)) if is_number(cell) else cell


def _label(cells: NDArray[Any]) -> NDArray[np.float64]:
    found, words = numbers(cells), truths(cells)
    return np.where(np.isnan(found), words, found)


def _checked(matrix: NDArray[np.float64], signature: Signature, where: str) -> NDArray[Any]:
    """Numbers, or labels of 0 and 1. Raises UsageError for other values."""
    labels = signature.task.kind == "labels"
    wrong = ~((matrix == 0) | (matrix == 1)) if labels else ~np.isfinite(matrix)
    if wrong.any():
        row = int(np.argmax(wrong.any(axis=1)))
        raise UsageError(
            f"{where}: target {row}, counted from 0, is no {'label of 0 or 1' if labels else 'number'}; mend it"
        )
    return matrix.astype(np.float32) if labels else matrix
