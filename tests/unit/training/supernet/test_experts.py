"""Exponentiated gradient: what is wiped out could not have won, and regret keeps to its bound."""

from __future__ import annotations

from math import log, sqrt

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from evonas_cli.training.supernet.experts import Experts

BOUND = 0.7
games = st.tuples(st.integers(2, 8), st.integers(1, 60), st.integers(0, 2**32 - 1), st.floats(-0.6, 0.6))


def rewards_of(game: tuple[int, int, int, float]) -> Tensor:
    """Rewards (rounds, experts), fixed beforehand and bounded; one expert is better, or worse, than the others."""
    count, rounds, seed, lead = game
    generator = torch.Generator().manual_seed(seed)
    rewards = (2 * torch.rand(rounds, count, generator=generator, dtype=torch.float64) - 1) * BOUND
    rewards[:, 0] = (rewards[:, 0] + lead).clamp(-BOUND, BOUND)
    return rewards


def played(rewards: Tensor, wipe_out: bool, eta: float | None = None) -> tuple[Experts, float]:
    """The experts after all rounds, and what following their shares has earned."""
    experts = Experts(rewards.shape[1], len(rewards), BOUND, eta, wipe_out)
    earned = 0.0
    for row in rewards:
        earned += float(experts.shares @ row)
        experts.update(row)
    return experts, earned


@settings(max_examples=150, deadline=None)
@given(games, st.sampled_from([None, 0.05, 3.0, 50.0]))
def test_the_winner_is_the_one_without_wipe_out(game: tuple[int, int, int, float], eta: float | None) -> None:
    rewards = rewards_of(game)
    (wiped, _), (whole, _) = (played(rewards, wipe_out, eta) for wipe_out in (True, False))
    assert wiped.log_v.masked_fill(wiped.alive == 0, -torch.inf).argmax() == whole.log_v.argmax()
    assert whole.alive.all()


@settings(max_examples=150, deadline=None)
@given(games, st.booleans())
def test_regret_keeps_to_its_bound(game: tuple[int, int, int, float], wipe_out: bool) -> None:
    rewards = rewards_of(game)
    _, earned = played(rewards, wipe_out)
    regret = float(rewards.sum(0).max()) - earned
    assert regret <= BOUND * sqrt(2 * len(rewards) * log(rewards.shape[1])) + 1e-9


def test_a_hopeless_expert_goes_before_the_end_and_gets_no_share() -> None:
    rewards = torch.zeros(200, 8)
    rewards[:, 0], rewards[:, 7] = BOUND, -BOUND
    experts = Experts(8, 200, BOUND, None)
    for row in rewards[:120]:
        experts.update(row)
    assert experts.alive[7] == 0 and experts.shares[7] == 0
    assert float(experts.shares.sum()) == pytest.approx(1.0)
    for row in rewards[120:]:
        experts.update(row)
    assert experts.alive.tolist() == [1.0] + [0.0] * 7


def test_rewards_are_clipped_and_large_ones_do_not_overflow() -> None:
    experts = Experts(3, 1000, BOUND, 100.0, wipe_out=False)
    for _ in range(1000):
        experts.update(torch.tensor([9e9, 0.0, -9e9]))
    assert torch.isfinite(experts.shares).all() and experts.shares[0] == 1.0
    assert float(experts.log_v[0]) == pytest.approx(1000 * 100.0 * BOUND)
