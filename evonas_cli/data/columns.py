"""Columns of a table as features of a vector; all that is fitted is fitted to the training rows alone.

A column of numbers, or of words for true and false, is one standardised feature, with the training median in place of
what is missing; where the training part lacks values, a second feature says which. A column of words has one 0/1
feature for each of its most frequent values, one for missing values where the training part has such, and one for every
other value. A column that is constant, a running number, an id or free text in the training part is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.data.cells import Cells, Numbers, missing, numbers, stripped, truths
from evonas_cli.data.delimited import Delimited, check_columns

Features = NDArray[np.float32]
FEW = 20
"""So many different words are categories in a table of any length, and so few rows never make a running number."""
MOSTLY = 0.5
"""The share of values above which a column is one of numbers, or one in which hardly a value comes twice."""
LONG = 30
"""Characters of a value, in the mean, from which words are called free text."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How columns are read.

    `missing`: what stands for no value. `drop`: columns left out. `categories`: columns taken as words, whatever they
    hold. `keep`: columns that stay though they look like a running number, an id or free text. `most_categories`: how
    many values of a column have a feature of their own.
    """

    missing: frozenset[str]
    drop: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    most_categories: int = 50

    def check(self, table: Delimited) -> None:
        """Raises UsageError for names that are no columns."""
        for key in ("drop", "categories", "keep"):
            check_columns(list(table.columns), getattr(self, key), table.path, f"dataset.{key}")


class Column(Protocol):
    """A fitted column."""

    @property
    def names(self) -> tuple[str, ...]:
        """What its features are called."""

    def encode(self, table: Delimited) -> Features:
        """The features, (N, number of names). Raises UsageError for a value that does not fit, with its line."""


@dataclass(frozen=True)
class NumberColumn:
    """Numbers, or truths as 1 and 0, standardised; missing ones are the median, and `indicates` says which."""

    name: str
    rules: Rules
    is_truth: bool
    median: float
    mean: float
    std: float
    indicates: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The column's, and that of the feature for missing values."""
        return (self.name, f"{self.name} is missing") if self.indicates else (self.name,)

    def encode(self, table: Delimited) -> Features:
        """As Column.encode."""
        cells = table.columns[self.name]
        gone = missing(cells, self.rules.missing)
        values = truths(cells) if self.is_truth else numbers(cells)
        wrong = np.isnan(values) & ~gone
        if wrong.any():
            raise _mixed(table, self.name, np.flatnonzero(wrong), "true or false" if self.is_truth else "a number")
        with np.errstate(over="ignore"):
            scaled = ((np.where(gone, self.median, values) - self.mean) / self.std).astype(np.float32)
        if not np.isfinite(scaled).all():
            first = int(np.argmin(np.isfinite(scaled)))
            raise UsageError(
                f"{table.path}: column {self.name!r} has {cells[first]} in line {table.lines[first]}, which is too far "
                f"from the others; mend it, or pass dataset.drop=[{self.name}]"
            )
        return np.stack([scaled, gone.astype(np.float32)] if self.indicates else [scaled], axis=1)


@dataclass(frozen=True)
class CategoryColumn:
    """Words: one 0/1 feature for each of `values`, one for missing values if `indicates`, and one for all others."""

    name: str
    rules: Rules
    values: tuple[str, ...]
    indicates: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Column and value."""
        last = ("is missing", "is another") if self.indicates else ("is another",)
        return tuple([f"{self.name}={value}" for value in self.values] + [f"{self.name} {word}" for word in last])

    def encode(self, table: Delimited) -> Features:
        """As Column.encode; every word fits."""
        cells = stripped(table.columns[self.name])
        places = {value: n for n, value in enumerate(self.values)}
        width = len(self.names)
        found = np.array([places.get(cell, width - 1) for cell in cells], dtype=np.int64)
        if self.indicates:
            found[missing(cells, self.rules.missing)] = width - 2
        return np.eye(width, dtype=np.float32)[found]


def fitted(
    table: Delimited, train: NDArray[np.int64], targets: Sequence[str], rules: Rules
) -> tuple[list[Column], list[str]]:
    """The columns but for the targets and the dropped, as the rows `train` have them, and a line on what is left out.

    Raises UsageError for a column without any value, for one that mixes numbers and words, and if none is left.
    """
    columns: list[Column] = []
    left_out: list[str] = []
    for name, cells in table.columns.items():
        if name in targets or name in rules.drop:
            continue
        column = _fit(table, name, cells[train], train, rules)
        if isinstance(column, str):
            left_out.append(f"{name} ({column})")
        else:
            columns.append(column)
    if not columns:
        reasons = f" ({', '.join(left_out)})" if left_out else ""
        raise UsageError(f"{table.path} has no column to learn from beside the target{reasons}; set dataset.keep")
    notes = [f"{table.path}: left out {', '.join(left_out)}; dataset.keep=[NAME] keeps a column"] if left_out else []
    return columns, notes


def _fit(table: Delimited, name: str, cells: Cells, train: NDArray[np.int64], rules: Rules) -> Column | str:
    """The fitted column, or why it is left out."""
    gone = missing(cells, rules.missing)
    if gone.all():
        raise UsageError(f"{table.path}: column {name!r} has no value in any training row; pass dataset.drop=[{name}]")
    there = stripped(cells[~gone])
    indicates, counts = bool(gone.any()), Counter(there.tolist())
    if len(counts) == 1 and not indicates:
        return "constant"
    if name not in rules.categories:
        for is_truth, values in ((True, truths(there)), (False, numbers(there))):
            wrong = np.isnan(values)
            if not wrong.any():
                if not is_truth and name not in rules.keep and _running(values, len(table)):
                    return "a running number"
                return _number_column(table, name, rules, is_truth, values, indicates)
        if wrong.mean() <= MOSTLY:
            rows = train[np.flatnonzero(~gone)[np.flatnonzero(wrong)]]
            raise _mixed(table, name, rows, "a number")
        if name not in rules.keep and len(counts) > max(FEW, MOSTLY * len(there)):
            long = sum(map(len, there)) >= LONG * len(there)
            return f"{'free text' if long else 'an id'}, {len(counts)} different values in {len(there)} training rows"
    common = sorted(counts, key=lambda value: (-counts[value], value))[: rules.most_categories]
    return CategoryColumn(name, rules, tuple(sorted(common)), indicates)


def _number_column(
    table: Delimited, name: str, rules: Rules, is_truth: bool, values: Numbers, indicates: bool
) -> NumberColumn | str:
    with np.errstate(over="ignore", invalid="ignore"):
        median, mean, std = float(np.median(values)), float(values.mean()), float(values.std())
    if not np.isfinite([median, mean, std]).all():
        raise UsageError(f"{table.path}: column {name!r} has numbers as large as {np.abs(values).max():g}; "
                         f"scale it, or pass dataset.drop=[{name}]")  # fmt: skip
    constant = bool(values.min() == values.max())
    if constant and not indicates:
        return "constant"
    return NumberColumn(name, rules, is_truth, median, mean, 1.0 if constant else std, indicates)


def _running(values: Numbers, rows: int) -> bool:
    """Whether numbers count the rows of a table that has so many."""
    with np.errstate(over="ignore"):
        steps = np.diff(values)
    whole = bool((values == np.round(values)).all())
    return len(values) >= FEW and whole and bool((steps > 0).all()) and values[-1] - values[0] < rows


def _mixed(table: Delimited, name: str, rows: NDArray[np.int64], what: str) -> UsageError:
    cell, line = table.columns[name][rows[0]], table.lines[rows[0]]
    return UsageError(
        f"{table.path}: column {name!r} has {cell[:40]!r} in line {line}, which is not {what} as most of it "
        f"({len(rows)} such); mend it, add the word to dataset.missing, or pass dataset.categories=[{name}]"
    )


def spread(table: Delimited, columns: Sequence[Column], rows: NDArray[np.int64]) -> Features:
    """The features of some rows, (rows, F)."""
    part = Delimited(table.path, {name: cells[rows] for name, cells in table.columns.items()}, table.lines[rows])
    return np.concatenate([column.encode(part) for column in columns], axis=1)


def names_of(columns: Sequence[Column]) -> tuple[str, ...]:
    """What the features are called."""
    return tuple(name for column in columns for name in column.names)
