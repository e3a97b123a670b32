"""The cells of a column as text, and what they say: nothing, a number, true or false."""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite, nan
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Cells: TypeAlias = NDArray[Any]
"""(N,) of object: the text of each cell."""
Numbers: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

TRUTH = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
"""Words that are true or false, in small letters."""


def is_number(cell: str) -> bool:
    """Whether the text is a finite decimal number, such as -1.5e3."""
    return isfinite(_number(cell))


def numbers(cells: Cells) -> Numbers:
    """The numbers, (N,) float64, with NaN where a cell is no finite number."""
    return np.array([_number(cell) for cell in cells], dtype=np.float64)


def truths(cells: Cells) -> Numbers:
    """1 and 0 for the words of TRUTH, (N,) float64, with NaN for any other cell."""
    return np.array([TRUTH.get(cell.strip().lower(), nan) for cell in cells], dtype=np.float64)


def missing(cells: Cells, words: Collection[str]) -> Mask:
    """Whether each cell is one of the words that stand for no value, (N,)."""
    return np.array([cell.strip() in words for cell in cells], dtype=bool)


def stripped(cells: Cells) -> Cells:
    """The cells without spaces at either end."""
    result = np.empty(len(cells), dtype=object)
    result[:] = [cell.strip() for cell in cells]
    return result


def _number(cell: str) -> float:
    """NaN for what is no finite decimal number; an underscore is Python's alone."""
    try:
        value = nan if "_" in cell else float(cell)
    except ValueError:
        return nan
    return value if isfinite(value) else nan
