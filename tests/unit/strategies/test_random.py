"""Random search."""

from __future__ import annotations

from random import Random
from statistics import fmean

import pytest

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Strategy
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation
from evonas_cli.spaces.bits import Bits
from evonas_cli.strategies.random import Count, RandomSearch


def one_max(seed: int, n_evaluations: int, noise: float) -> float:
    """True fitness of the best observed."""
    space = Bits(100)
    strategy = RandomSearch(space=space)
    state, best = strategy.init(stream(seed, "init")), (-1.0, 0.0)
    for step in range(n_evaluations):
        [proposal], state = strategy.ask(state, stream(seed, "ask", step))
        true = space.score(proposal.genome)
        observed = min(1.0, max(0.0, true + stream(seed, "noise", step).gauss(0, noise)))
        best = max(best, (observed, true))
        told = [Evaluation(step, proposal.genome, (-observed,))]
        state = strategy.tell(state, told, stream(seed, "tell", step))
    return best[1]


def test_one_max_gives_the_known_baseline() -> None:
    """0.658 over 30 seeds, sd 0.017; the mean of 8 is within 0.024 (four standard errors)."""
    assert abs(fmean(one_max(seed, 1_000, 0.01) for seed in range(8)) - 0.658) < 0.024


def test_every_step_is_one_sample_of_the_prior_whatever_was_told() -> None:
    strategy = RandomSearch(space=Bits(5))
    assert isinstance(strategy, Strategy)
    assert strategy.demands == Demands(objectives="none")
    assert strategy.least_evaluations == 1
    state = strategy.init(Random(0))
    for step in range(20):
        [proposal], state = strategy.ask(state, stream(3, "ask", step))
        assert proposal.genome == Bits(5).sample(stream(3, "ask", step))
        assert (proposal.operator, proposal.parents) == ("sample", ())
        losses = None if step % 2 else (0.0,)
        assert strategy.tell(state, [Evaluation(step, proposal.genome, losses)], Random(0)) == state
        assert strategy.population(state) == ()
    assert state == Count(20)


def test_a_batch_is_samples_of_one_step() -> None:
    strategy = RandomSearch(space=Bits(5), batch=3)
    asked, state = strategy.ask(strategy.init(Random(0)), Random(1))
    rng = Random(1)
    assert [proposal.genome for proposal in asked] == [Bits(5).sample(rng) for _ in range(3)]
    assert state == Count(3) and strategy.least_evaluations == 1


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(UsageError, match="strategy.batch is 0; it must be 1 or more"):
        RandomSearch(space=Bits(5), batch=0)
