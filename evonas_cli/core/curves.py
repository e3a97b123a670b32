"""Learning curves of a candidate as columns of numbers: one name a column, one row for each epoch that was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.core.strict_json import is_number, printable
from evonas_cli.core.types import Curves

MOST = 64
"""Rows that a run keeps of a candidate's curves."""


def are_curves(value: object) -> bool:
    """Whether the value is a mapping of columns by name: lists of one length, of finite numbers or None.

    >>> are_curves({"epoch": [1, 2], "valid_error": [0.5, None]})
    True
    """
    if not isinstance(value, Mapping):
        return False
    columns = list(value.values())
    if not all(isinstance(name, str) and name == printable(name) for name in value):
        return False
    if not all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
        return False
    return all([number is None or is_number(number) for column in columns for number in column])


def recordable(given: Any) -> Curves:
    """The curves as a journal keeps them: plain numbers, None for what is no finite number, at most `MOST` rows.

    Longer curves are thinned: of every `ceil(rows / MOST)` rows one is kept, counted back from the last row, which
    is always kept. Raises ValueError, which says what is wrong, for what is no mapping of columns of one length.

    >>> recordable({"epoch": [1, 2], "valid_loss": [0.5, float("nan")]})
    {'epoch': [1, 2], 'valid_loss': [0.5, None]}
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"curves is a {type(given).__name__}, not a dictionary of columns by name")
    columns = {name: _column(name, column) for name, column in given.items()}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns of curves have different lengths: {lengths}")
    stride = -(-max(lengths.values(), default=0) // MOST) or 1
    return {name: column[(len(column) - 1) % stride :: stride] for name, column in columns.items()}


def _column(name: object, column: object) -> list[float | None]:
    if not isinstance(name, str) or name != printable(name):
        raise ValueError(f"curves has the name {printable(name)!r}, which cannot be recorded")
    if isinstance(column, str) or not isinstance(column, Sequence):
        raise ValueError(f"column {name} of curves is a {type(column).__name__}, not a list of numbers")
    return [_number(name, value) for value in column]


def _number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    try:
        plain: float = value if type(value) in (int, float) else float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"column {name} of curves holds a {type(value).__name__}, which is no number") from None
    return plain if is_number(plain) else None
