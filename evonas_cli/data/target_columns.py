"""The target columns of a table: classes, several labels, or numbers.

`auto` takes one column of words, or of up to MOST_CLASSES different whole numbers, for classes; several columns of 0
and 1, or true and false, for labels; other columns of numbers for numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.data.cells import missing, numbers, stripped, truths
from evonas_cli.data.delimited import Delimited, listed
from evonas_cli.data.targets import GIVEN_KINDS, Targets, targets

MOST_CLASSES = 20
LEAST_ROWS = 3
MOSTLY = 0.5
"""The share of numbers that makes a column one of numbers, and of different words that makes words no classes."""


def check_kind(kind: str) -> None:
    """Raises UsageError for a kind that the targets of a table cannot have."""
    if kind not in GIVEN_KINDS:
        raise UsageError(f"dataset.kind is {kind!r}; it must be one of {', '.join(GIVEN_KINDS)}")


def target_names(value: object) -> tuple[str, ...]:
    """The columns in `dataset.target`, one name or a list of names. Raises UsageError for anything else."""
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else ()
    if not names or not all(isinstance(name, str) and name for name in names):
        raise UsageError(f"dataset.target is {value!r}; pass dataset.target=COLUMN, or dataset.target=[A,B]")
    if len(set(names)) != len(names):
        raise UsageError(f"dataset.target names {listed(names)}; name each column once")
    return names


def read_targets(table: Delimited, names: Sequence[str], kind: str, words: frozenset[str]) -> Targets:
    """The targets in the columns `names`; `words` stand for no value.

    Raises UsageError for a row without a target, a column that does not fit the kind or mixes numbers and words, a
    single class, a class or a label value of a single row, and words that differ from row to row.
    """
    where = f"{table.path}: target {', '.join(names)}"
    columns = [_column(table, name, words, kind, kind == "labels" or len(names) > 1) for name in names]
    if len(columns) == 1 and kind in ("auto", "classes"):
        values = columns[0]
        few = len(np.unique(values)) <= MOST_CLASSES
        whole = values.dtype.kind == "f" and bool((values == np.round(values)).all())
        if kind == "classes" or values.dtype.kind == "U" or (whole and few):
            return _classes(table, values, where)
    for name, values in zip(names, columns, strict=True):
        if values.dtype.kind == "U":
            raise UsageError(f"{table.path}: the target column {name!r} has words ({values[0][:40]!r} in line "
                             f"{table.lines[0]}), but {_wanted(kind, len(names))}")  # fmt: skip
    matrix = np.stack(columns, axis=1)
    binary = bool(((matrix == 0) | (matrix == 1)).all())
    found = targets(matrix, ("auto" if binary else "numbers") if kind == "auto" else kind, where, names)
    if found.kind == "labels":
        _check_labels(table, found)
    elif found.kind == "numbers":
        _check_numbers(table, found)
    return found


def _wanted(kind: str, columns: int) -> str:
    if kind == "auto":
        return "several target columns hold 0 and 1, or numbers; name one column for classes"
    return "labels are 0 and 1" if kind == "labels" else f"dataset.kind={kind} needs numbers"


def _column(table: Delimited, name: str, words: frozenset[str], kind: str, binary: bool) -> np.ndarray:
    """Numbers (N,) float64, or words (N,); true and false are 1 and 0 with `binary`."""
    cells = stripped(table.columns[name])
    check_present(table, name, words, "remove these rows, or fill them in")
    values = numbers(cells)
    wrong = np.isnan(values)
    if not wrong.any():
        return values
    is_true = truths(cells)
    if binary and not np.isnan(is_true).any():
        return is_true
    if kind == "numbers" or (kind == "auto" and wrong.mean() < MOSTLY):
        first = int(np.argmax(wrong))
        what = "dataset.kind=numbers needs" if kind == "numbers" else "most of it are"
        raise UsageError(
            f"{table.path}: the target column {name!r} has {cells[first][:40]!r} in line {table.lines[first]}, while "
            f"{what} numbers; mend it, or pass dataset.kind=classes"
        )
    return cells.astype(str)


def _classes(table: Delimited, values: np.ndarray, where: str) -> Targets:
    found = targets(values, "classes", where)
    counts = np.bincount(found.y)
    if len(counts) == 1:
        raise UsageError(f"{where} is {found.names[0][:40]!r} in all rows; classes to tell apart are at least two")
    if len(counts) > max(MOST_CLASSES, MOSTLY * len(found)):
        raise UsageError(
            f"{where} has {len(counts)} different values in {len(found)} rows, so it is an id or free text and no "
            "class; pass another dataset.target"
        )
    if counts.min() < LEAST_ROWS:
        rare = int(counts.argmin())
        line = table.lines[int(np.argmax(found.y == rare))]
        raise UsageError(
            f"{where} is {found.names[rare][:40]!r} in {counts[rare]} of {len(found)} rows, the first in line {line}; "
            f"a class needs at least {LEAST_ROWS}, one for each part, so add some or remove it"
        )
    return found


def _check_labels(table: Delimited, found: Targets) -> None:
    ones = found.y.sum(axis=0)
    for name, n in zip(found.names, ones, strict=True):
        if n in (0, len(found)):
            raise UsageError(f"{table.path}: the label {name!r} is {int(n > 0)} in all rows; leave it out of "
                             "dataset.target")  # fmt: skip


def _check_numbers(table: Delimited, found: Targets) -> None:
    for name, column in zip(found.names, found.y.T, strict=True):
        if column.min() == column.max():
            raise UsageError(f"{table.path}: the target column {name!r} is {column[0]:g} in all rows; there is nothing "
                             "to predict")  # fmt: skip


def check_present(table: Delimited, name: str, words: frozenset[str], remedy: str) -> None:
    """Raises UsageError, which ends in `remedy`, unless each row has a value in the column."""
    gone = missing(table.columns[name], words)
    if gone.any():
        raise UsageError(f"{table.path}: column {name!r} has no value in {int(gone.sum())} rows, the first in line "
                         f"{table.lines[int(np.argmax(gone))]}; {remedy}")  # fmt: skip


def told(found: Targets) -> str:
    """Kind and names, for people: `3 classes (a, b, c)`."""
    what = found.kind if found.outputs > 1 else {"labels": "label", "numbers": "number"}.get(found.kind, found.kind)
    return f"{found.outputs} {what} ({listed(found.names)})"
