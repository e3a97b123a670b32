"""Tests, effect sizes and intervals for a few independent values a group.

Mann and Whitney (1947) for the test, exact where either group has at most eight values: among ties (of up to 100
values in all) by counting out the conditional distribution of midranks, since the normal approximation would promise
too much. Vargha and Delaney (2000) for the effect size, Holm (1979) over several tests, Efron's percentile bootstrap
(1979) for means.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from evonas_cli.core.types import Direction

if TYPE_CHECKING:
    import numpy

ALPHA = 0.05
RESAMPLES = 9999
RANGE = 3
"""Of at most so many values the percentile bootstrap's interval is their range: a resample of nothing but the least, or
the greatest, has a probability of n ** -n, which is more than ALPHA / 2."""
_SEED = 20140722
_EXACT = 8
_ENUMERABLE = 100


def a12(a: Sequence[float], b: Sequence[float], direction: Direction) -> float:
    """The probability that a run of `a` beats a run of `b`, ties counting one half (Vargha and Delaney's A12)."""
    ordered = sorted(b)
    below = sum(bisect_left(ordered, x) + bisect_right(ordered, x) for x in a) / 2
    share = below / (len(a) * len(b))
    return share if direction == "max" else 1.0 - share


def mann_whitney(a: Sequence[float], b: Sequence[float]) -> float:
    """The two-sided p-value. Values that are all equal give 1."""
    if len({*a, *b}) == 1:
        return 1.0
    total = len(a) + len(b)
    if min(len(a), len(b)) <= _EXACT and total <= _ENUMERABLE and len({*a, *b}) < total:
        return _exact(a, b)
    from scipy import stats

    return float(stats.mannwhitneyu(a, b, alternative="two-sided", method="auto").pvalue)


def _exact(a: Sequence[float], b: Sequence[float]) -> float:
    """The two-sided p-value of the rank sum among all ways to draw len(a) of the values, which may be tied."""
    ranks, below = {}, 0
    for value, times in sorted(Counter([*a, *b]).items()):
        ranks[value] = 2 * below + times + 1
        below += times
    few, many = sorted((a, b), key=len)
    ways: list[Counter[int]] = [Counter({0: 1}), *(Counter() for _ in few)]
    for value in (*few, *many):
        for drawn in range(len(few), 0, -1):
            for total, count in ways[drawn - 1].items():
                ways[drawn][total + ranks[value]] += count
    observed, all_ways = sum(ranks[value] for value in few), math.comb(below, len(few))
    lower = sum(count for total, count in ways[-1].items() if total <= observed)
    upper = sum(count for total, count in ways[-1].items() if total >= observed)
    return min(1.0, 2 * min(lower, upper) / all_ways)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction, in the order given."""
    corrected, highest = [0.0] * len(p), 0.0
    for passed, place in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        highest = max(highest, min(1.0, (len(p) - passed) * p[place]))
        corrected[place] = highest
    return corrected


def least_p(n: int, m: int) -> float:
    """The smallest two-sided p-value that groups of these sizes can have: one lies wholly below the other."""
    return min(1.0, 2 / math.comb(n + m, n))


def needed_runs(pairs: int) -> int:
    """The smallest number of runs in each group with which every one of so many pairs can come out below ALPHA."""
    n = 1
    while pairs * least_p(n, n) >= ALPHA:
        n += 1
    return n


def resampling(n: int, times: int = RESAMPLES) -> numpy.ndarray:
    """Bootstrap weights (times, n), rows summing to one. The generator's seed is a constant: output is reproducible."""
    import numpy

    generator = numpy.random.default_rng(_SEED)
    weights: numpy.ndarray = generator.multinomial(n, numpy.full(n, 1 / n), size=times) / n
    return weights


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The percentile bootstrap's 95 % interval of the mean, which of up to RANGE values is their range; None for a
    single value."""
    import numpy

    if len(values) < 2:
        return None
    means = resampling(len(values)) @ numpy.asarray(values)
    low, high = numpy.quantile(means, [ALPHA / 2, 1 - ALPHA / 2])
    return float(low), float(high)


def t_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Student's 95 % interval of the mean (1908), which holds for as few values as two; None for a single value."""
    if len(values) < 2:
        return None
    from scipy import stats

    half = float(stats.t.ppf(1 - ALPHA / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


def verdict(
    p: float, effect: float, sizes: tuple[int, int], attainable: float, pairs: int, baseline: str
) -> tuple[str, str]:
    """One word and one sentence about a group against the baseline.

    `p` is Holm-corrected, `effect` the A12 of the group, `attainable` the smallest corrected p that groups of these
    `sizes` could have had.
    """
    n, m = sizes
    if attainable >= ALPHA:
        least = needed_runs(pairs)
        among = f" over {pairs} pairs" if pairs > 1 else ""
        text = f"n = {n} + {m} runs cannot reach p < {ALPHA}{among}; run at least {least} + {least}"
        return "undecidable", f"undecidable: {text}"
    word = "not better" if p >= ALPHA or effect == 0.5 else "better" if effect > 0.5 else "worse"
    return word, f"{word} than {baseline} (p {p_text(p)}, A12 = {effect:.2f}, n = {n} + {m})"


def p_text(p: float) -> str:
    """A p-value with its relation: `= 0.42`, `= 0.008`, `< 0.0001`."""
    if p < 0.0001:
        return "< 0.0001"
    return f"= {p:.2f}" if p >= 0.095 else f"= {p:.3g}" if p > 0.045 else f"= {p:.2g}"
