"""How far two ways to train the same candidates agree: differences, and Spearman's correlation of ranks (1904)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from evonas_cli.core.types import Json


def agreement(first: Sequence[float | None], second: Sequence[float | None], near: float) -> dict[str, Json]:
    """Over the candidates that have a value (not None) both ways: how many, how many differ by at most `near`, the
    largest and the median absolute difference, and the correlation of ranks, where ties share a mean rank. Beside them
    `one_failed`: how many have a value one way only.

    What cannot be computed is None: differences of no candidate, the correlation of fewer than two or of equal values.
    """
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    apart = [abs(a - b) for a, b in pairs]
    return {
        "compared": len(pairs),
        "one_failed": sum((a is None) != (b is None) for a, b in zip(first, second, strict=True)),
        "near": near,
        "within": sum(difference <= near for difference in apart),
        "largest": max(apart, default=None),
        "median": statistics.median(apart) if apart else None,
        "rank_correlation": _spearman(pairs),
    }


def _spearman(pairs: Sequence[tuple[float, float]]) -> float | None:
    if len({a for a, _ in pairs}) < 2 or len({b for _, b in pairs}) < 2:
        return None
    from scipy import stats

    return float(stats.spearmanr(pairs).statistic)
