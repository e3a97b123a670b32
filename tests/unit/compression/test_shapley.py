"""Shapley values: exact ones by definition, estimates that add up, and games whose values are known."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from evonas_cli.compression.shapley import Game, exact, sampled, values


def drawn_game(n: int, seed: int) -> tuple[Game, Tensor]:
    """A game with a payoff drawn for each coalition, and the payoffs by the coalition's bits."""
    table = torch.rand(1 << n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    bits = 1 << torch.arange(n)
    return lambda coalitions: table[(coalitions * bits).sum(1)], table


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 99))
def test_estimates_add_up_to_what_all_gain(n: int, count: int, seed: int) -> None:
    game, table = drawn_game(n, seed)
    generator = torch.Generator().manual_seed(seed)
    orders = torch.stack([torch.randperm(n, generator=generator) for _ in range(count)])
    assert float(sampled(game, orders).sum()) == pytest.approx(float(table[-1] - table[0]), abs=1e-6)
    assert float(exact(game, n).sum()) == pytest.approx(float(table[-1] - table[0]), abs=1e-6)


def test_six_units_match_the_definition() -> None:
    n, (game, table) = 6, drawn_game(6, 3)
    wanted = torch.zeros(n, dtype=torch.float64)
    for unit in range(n):
        for mask in range(1 << n):
            if not mask >> unit & 1:
                size = mask.bit_count()
                weight = factorial(size) * factorial(n - size - 1) / factorial(n)
                wanted[unit] += weight * (table[mask | 1 << unit] - table[mask])
    torch.testing.assert_close(exact(game, n), wanted, rtol=0, atol=1e-12)
    every = torch.tensor(list(permutations(range(n))))
    torch.testing.assert_close(sampled(game, every), wanted, rtol=0, atol=1e-12)
    generator = torch.Generator().manual_seed(0)
    some = torch.stack([torch.randperm(n, generator=generator) for _ in range(4000)])
    torch.testing.assert_close(sampled(game, some), wanted, rtol=0, atol=0.03)


def test_units_that_add_up_are_worth_what_they_add() -> None:
    worth = torch.tensor([0.5, 0.0, 0.25, -0.125], dtype=torch.float64)
    orders = torch.tensor([[2, 0, 3, 1]])
    torch.testing.assert_close(sampled(lambda coalitions: coalitions.double() @ worth, orders), worth)


def test_few_units_are_valued_exactly_and_many_by_as_many_payoffs_as_asked_for() -> None:
    asked: list[int] = []

    def game(coalitions: Tensor) -> Tensor:
        asked.append(len(coalitions))
        return coalitions.double().sum(1)

    values(game, 6, 30, torch.Generator())
    assert asked == [64]
    asked.clear()
    values(game, 10, 30, torch.Generator())
    assert asked == [2, 30 * 9]
