"""Answers about one action for each observation."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def header(names: Sequence[str]) -> list[str]:
    """What `answers` has in its columns."""
    return ["action", *[f"score {name}" for name in names]]


def answers(outputs: Tensor, names: Sequence[str]) -> list[list[str | float]]:
    """For each observation the action with the largest score, of equal ones the first, and all scores (N, actions)."""
    return [[names[int(row.argmax())], *row.tolist()] for row in outputs.float()]
