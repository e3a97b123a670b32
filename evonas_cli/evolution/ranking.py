"""How well scores rank candidates: Kendall's tau-b (1945), Spearman's rho (1904), and the worth of the top."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt


def kendall(a: Sequence[float], b: Sequence[float]) -> float | None:
    """tau-b: pairs in the same order less those in opposite order, with a correction for ties, in [-1, 1].

    None where all values of either are equal.
    """
    agreement, untied_a, untied_b = 0, 0, 0
    for i in range(len(a)):
        for j in range(i):
            first, second = _sign(a[i] - a[j]), _sign(b[i] - b[j])
            agreement += first * second
            untied_a += first != 0
            untied_b += second != 0
    return agreement / sqrt(untied_a * untied_b) if untied_a and untied_b else None


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """The correlation of the ranks, ties at their mean rank, in [-1, 1]; None where all values of either are equal."""
    first, second = _ranks(a), _ranks(b)
    middle = (len(a) - 1) / 2
    covariance = sum((x - middle) * (y - middle) for x, y in zip(first, second, strict=True))
    spread = sum((x - middle) ** 2 for x in first) * sum((y - middle) ** 2 for y in second)
    return covariance / sqrt(spread) if spread else None


def best_of_top(scores: Sequence[float], truths: Sequence[float], share: float) -> tuple[float, float]:
    """The mean and the least of the truths of that share of the candidates, at least one, whose scores are least."""
    order = sorted(range(len(scores)), key=lambda index: (scores[index], index))
    top = [truths[index] for index in order[: max(1, ceil(share * len(scores)))]]
    return sum(top) / len(top), min(top)


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in range(start, end + 1):
            ranks[order[place]] = (start + end) / 2
        start = end + 1
    return ranks


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)
