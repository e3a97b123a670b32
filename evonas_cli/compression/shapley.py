"""Shapley values (Shapley, "A Value for n-Person Games", 1953) of the units of a layer.

phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! [v(S + i) - v(S)]: what unit i adds on average to those before
it when the units come in a random order. The estimate is the mean over drawn orders (Castro et al., Computers &
Operations Research 2009); pruning by it is that of Stier et al., "Analysing Neural Network Topologies: a Game Theoretic
Approach", 2018. The values of each order add up to v(all) - v(none), so their means do, too.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import TypeAlias

import torch
from torch import Tensor

Game: TypeAlias = Callable[[Tensor], Tensor]
"""The payoffs v(S), (C,) float64, of coalitions (C, n) bool, in each of which a unit takes part or not."""


def sampled(game: Game, orders: Tensor) -> Tensor:
    """Estimated values, (n,) float64, from orders (M, n) int64, each a permutation of the n units."""
    count, n = orders.shape
    ends = game(torch.tensor([[False] * n, [True] * n]))
    payoffs = torch.empty(count, n + 1, dtype=torch.float64)
    payoffs[:, 0], payoffs[:, n] = ends[0], ends[1]
    if n > 1:
        payoffs[:, 1:n] = game(_beginnings(orders)).view(count, n - 1)
    gains = payoffs.diff(dim=1)
    return torch.zeros(n, dtype=torch.float64).index_add_(0, orders.flatten(), gains.flatten()) / count


def exact(game: Game, n: int) -> Tensor:
    """The values themselves, (n,) float64, from all 2^n coalitions."""
    coalitions = torch.tensor([[bool(mask >> unit & 1) for unit in range(n)] for mask in range(1 << n)])
    payoffs = game(coalitions)
    sizes = coalitions.sum(1).tolist()
    values = torch.zeros(n, dtype=torch.float64)
    for mask, size in enumerate(sizes):
        for unit in range(n):
            if not mask >> unit & 1:
                values[unit] += (payoffs[mask | 1 << unit] - payoffs[mask]) / (n * comb(n - 1, size))
    return values


def values(game: Game, n: int, permutations: int, generator: torch.Generator) -> Tensor:
    """The values of n units, (n,) float64: exact where that takes no more payoffs than `permutations` drawn orders."""
    if 1 << n <= permutations * n:
        return exact(game, n)
    return sampled(game, torch.stack([torch.randperm(n, generator=generator) for _ in range(permutations)]))


def _beginnings(orders: Tensor) -> Tensor:
    """The first 1 to n - 1 units of each order as coalitions, (M (n - 1), n) bool."""
    n = orders.shape[1]
    ranks = orders.argsort(dim=1)
    return (ranks[:, None, :] < torch.arange(1, n)[None, :, None]).flatten(0, 1)
