"""Answers about one class for each example."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def header(names: Sequence[str]) -> list[str]:
    """What `answers` has in its columns."""
    return ["class", *[f"probability {name}" for name in names]]


def answers(outputs: Tensor, names: Sequence[str]) -> list[list[str | float]]:
    """For each example the most probable class, and the probability of each class, from scores (N, classes)."""
    shares = outputs.float().softmax(1)
    return [[names[int(row.argmax())], *row.tolist()] for row in shares]
