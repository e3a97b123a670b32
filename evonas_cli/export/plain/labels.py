"""Answers about several labels of each example."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def header(names: Sequence[str]) -> list[str]:
    """What `answers` has in its columns."""
    return ["labels", *[f"probability {name}" for name in names]]


def answers(outputs: Tensor, names: Sequence[str]) -> list[list[str | float]]:
    """For each example the labels above 1/2, and the probability of each label, from scores (N, labels)."""
    shares = outputs.float().sigmoid().tolist()
    return [[" ".join(name for name, share in zip(names, row, strict=True) if share > 0.5), *row] for row in shares]
