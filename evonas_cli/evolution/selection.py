"""Parent selection: tournament, truncation, linear ranking, roulette and stochastic universal sampling; `exploit`.

Every operator in `OPERATORS` is a pure function `(losses, n, rng) -> n indices into losses`; losses are finite and
minimised, the indices may repeat and come in random order, so that neighbours can be grouped. Ties are broken by `rng`:
equal losses have equal chances wherever they stand in the list. All raise ValueError for no losses, a loss that is not
finite, or a parameter outside its range.

Sources: Goldberg and Deb, A comparative analysis of selection schemes (1991); Baker, Adaptive selection methods (1985)
for ranking; Baker, Reducing bias and inefficiency (1987) for universal sampling; Tanese (1989) for sigma scaling.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from math import exp, floor, inf, isfinite
from random import Random
from statistics import fmean, pstdev
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Selection: TypeAlias = Callable[[Sequence[float], int, Random], list[int]]


def tournament(losses: Sequence[float], n: int, rng: Random, *, size: int, replacement: bool = True) -> list[int]:
    """Each winner is the best of `size` uniform draws; the best of m wins with 1-(1-1/m)^size with replacement.

    Draws come in random order and the first of the best wins, which breaks ties by the rng. Without replacement the
    draws of one tournament are different individuals, and `size` may not exceed their number.
    """
    _check(losses)
    everyone = range(len(losses))
    if size < 1 or (not replacement and size > len(losses)):
        raise ValueError(f"tournament size is {size}; with {len(losses)} individuals it cannot be drawn")
    return [winner(everyone, losses.__getitem__, rng, size=size, replacement=replacement) for _ in range(n)]


def winner(members: Sequence[T], loss: Callable[[T], Any], rng: Random, *, size: int, replacement: bool = True) -> T:
    """Of one tournament; only the losses of those drawn, which may be anything ordered, are looked at."""
    if not replacement:
        return min(rng.sample(members, size), key=loss)
    n = len(members)
    return min([members[int(rng.random() * n)] for _ in range(size)], key=loss)


def truncation(losses: Sequence[float], n: int, rng: Random, *, fraction: float) -> list[int]:
    """Uniform over the best floor(fraction * m) individuals, at least one; `fraction` in (0, 1]."""
    _check(losses)
    if not 0 < fraction <= 1:
        raise ValueError(f"truncation fraction is {fraction}; it must be in (0, 1]")
    rounding = 1e-9
    n_best = max(1, floor(fraction * len(losses) + rounding))
    return rng.choices(_best_first(losses, rng)[:n_best], k=n)


def ranking(losses: Sequence[float], n: int, rng: Random, *, pressure: float) -> list[int]:
    """Linear ranking: p_i = (2-s)/m + 2i(s-1)/(m(m-1)) for rank i = 0 (worst) .. m-1 and pressure s in (1, 2].

    The best has s expected copies among m draws, the worst 2-s. Equal losses share their ranks at random, anew in
    each call.
    """
    _check(losses)
    if not 1 < pressure <= 2:
        raise ValueError(f"ranking pressure is {pressure}; it must be in (1, 2]")
    m = len(losses)
    if m == 1:
        return [0] * n
    worst_first = _best_first(losses, rng)[::-1]
    weights = [(2 - pressure) / m + 2 * rank * (pressure - 1) / (m * (m - 1)) for rank in range(m)]
    return rng.choices(worst_first, weights=weights, k=n)


def roulette(losses: Sequence[float], n: int, rng: Random, *, scaling: str) -> list[int]:
    """Fitness-proportionate selection: p_i = w_i / sum(w), the weights w being those of `SCALINGS[scaling]`."""
    return rng.choices(range(len(losses)), weights=_weights(losses, scaling), k=n)


def stochastic_universal(losses: Sequence[float], n: int, rng: Random, *, scaling: str) -> list[int]:
    """Roulette with one spin of n equally spaced pointers: i gets floor or ceiling of n p_i copies. Order is random."""
    weights = _weights(losses, scaling)
    edges = list(accumulate(weights))
    last = max(index for index, weight in enumerate(weights) if weight > 0)
    spin = rng.random()
    chosen = [min(last, bisect_right(edges, (spin + pointer) / n * edges[-1])) for pointer in range(n)]
    rng.shuffle(chosen)
    return chosen


def window(losses: Sequence[float]) -> list[float]:
    """w_i = max(losses) - loss_i: the worst has no chance."""
    worst = max(losses)
    return [worst - loss for loss in losses]


def softmax(losses: Sequence[float]) -> list[float]:
    """w_i = exp((min(losses) - loss_i) / sd), sd the population's standard deviation: free of the losses' unit."""
    deviation, best = pstdev(losses), min(losses)
    return [exp((best - loss) / deviation) for loss in losses] if deviation > 0 else [1.0] * len(losses)


def sigma(losses: Sequence[float]) -> list[float]:
    """w_i = max(0.1, 1 + (mean - loss_i) / (2 sd)). Tanese lifts only negative weights to 0.1, against the order."""
    deviation, mean = pstdev(losses), fmean(losses)
    return [max(0.1, 1 + (mean - loss) / (2 * deviation)) for loss in losses] if deviation > 0 else [1.0] * len(losses)


SCALINGS: dict[str, Callable[[Sequence[float]], list[float]]] = {"window": window, "softmax": softmax, "sigma": sigma}


@dataclass(frozen=True, slots=True)
class Settings:
    """The parameters of all operators; each reads its own."""

    tournament_size: int = 3
    replacement: bool = True
    truncation_fraction: float = 0.5
    ranking_pressure: float = 1.5
    scaling: str = "window"


OPERATORS: dict[str, Callable[[Settings], Selection]] = {
    "tournament": lambda settings: partial(tournament, size=settings.tournament_size, replacement=settings.replacement),
    "truncation": lambda settings: partial(truncation, fraction=settings.truncation_fraction),
    "ranking": lambda settings: partial(ranking, pressure=settings.ranking_pressure),
    "roulette": lambda settings: partial(roulette, scaling=settings.scaling),
    "sus": lambda settings: partial(stochastic_universal, scaling=settings.scaling),
}


def groups(selected: Sequence[int], identities: Sequence[int], size: int, rng: Random) -> list[list[int]]:
    """Cuts what was selected into groups of `size` parents, no identity twice in a group.

    One that would be there twice is replaced by a draw from all of `selected` whose identity is not, if there is any.
    """
    found = []
    for start in range(0, len(selected), size):
        group = list(selected[start : start + 1])
        for index in selected[start + 1 : start + size]:
            taken = {identities[member] for member in group}
            if identities[index] in taken:
                others = [other for other in selected if identities[other] not in taken]
                if not others:
                    break
                index = rng.choice(others)
            group.append(index)
        found.append(group)
    return found


def exploit(losses: Sequence[float | None], rng: Random, *, fraction: float) -> list[int]:
    """The individual whose training each individual continues: truncation selection of population-based training.

    Each of the worst floor(fraction * m), at least one, continues a uniform draw from as many of the best; all others
    continue their own training. Failed individuals (None) come last and always continue another one's. Needs two or
    more individuals of which one succeeded. `fraction` in (0, 0.5]. Source: Jaderberg et al., Population based training
    of neural networks (2017).
    """
    if not 0 < fraction <= 0.5:
        raise ValueError(f"exploited fraction is {fraction}; it must be in (0, 0.5]")
    known = [loss for loss in losses if loss is not None]
    _check(known)
    ordered = _best_first([inf if loss is None else loss for loss in losses], rng)
    n_moved = max(1, floor(fraction * len(losses) + 1e-9))
    n_failed = len(losses) - len(known)
    best = ordered[: min(n_moved, len(known))]
    moved = set(ordered[len(losses) - max(n_moved, n_failed) :]) - set(best)
    return [rng.choice(best) if index in moved else index for index in range(len(losses))]


def _check(losses: Sequence[float]) -> None:
    if not losses:
        raise ValueError("there is no individual to select: losses is empty")
    if not all(map(isfinite, losses)):
        raise ValueError("a loss is not finite: leave failed individuals out before selecting")


def _best_first(losses: Sequence[float], rng: Random) -> list[int]:
    order = list(range(len(losses)))
    rng.shuffle(order)
    order.sort(key=losses.__getitem__)
    return order


def _weights(losses: Sequence[float], scaling: str) -> list[float]:
    _check(losses)
    if scaling not in SCALINGS:
        raise ValueError(f"scaling is {scaling!r}; it may be one of {', '.join(SCALINGS)}")
    weights = SCALINGS[scaling](losses)
    return weights if any(weights) else [1.0] * len(losses)
