"""Answers of a regression."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def header(names: Sequence[str]) -> list[str]:
    """What `answers` has in its columns."""
    return list(names)


def answers(outputs: Tensor, names: Sequence[str]) -> list[list[str | float]]:
    """For each example the numbers, in the unit of the targets, from outputs (N, numbers)."""
    return [list(row) for row in outputs.tolist()]
