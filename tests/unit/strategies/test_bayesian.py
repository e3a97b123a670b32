"""Bayesian optimisation: first points, what is never proposed, failures, fantasies, several objectives, its gain."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.hypervolume import hypervolume
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Objective, Proposal
from evonas_cli.spaces.bits import Bits
from evonas_cli.spaces.chain_landscape import ChainLandscape
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.strategies.bayesian import Bayesian, Beliefs
from evonas_cli.strategies.random import RandomSearch

LANDSCAPE = ChainLandscape()
Losses = Callable[[Any], tuple[float, ...] | None]


def error(genome: Any) -> tuple[float, ...]:
    return (1 - LANDSCAPE.score(genome),)


def run(
    strategy: Any, losses: Losses, evaluations: int, window: int = 1, seed: int = 0
) -> tuple[list[Proposal[Any]], Any]:
    """All proposals in order, and the last state; the window counts asks."""
    state, asks, told, proposals = strategy.init(Random(seed)), [], 0, []
    while len(proposals) < evaluations or told < len(asks):
        while len(proposals) < evaluations and len(asks) - told < window:
            new, state = strategy.ask(state, stream(seed, "ask", len(asks)))
            if not new:
                evaluations = len(proposals)
                break
            asks.append((len(proposals), new))
            proposals += new
        if told < len(asks):
            first, batch = asks[told]
            evaluations_told = [Evaluation(first + n, one.genome, losses(one.genome)) for n, one in enumerate(batch)]
            state = strategy.tell(state, evaluations_told, stream(seed, "tell", told))
            told += 1
    return proposals, state


def test_the_first_points_are_samples_and_then_the_model_chooses() -> None:
    proposals, state = run(Bayesian(space=LANDSCAPE, initial=4, fresh=0.0), error, 12)
    assert [one.operator for one in proposals] == ["sample"] * 4 + ["mutation"] * 8
    for id, one in enumerate(proposals[4:], 4):
        assert all(parent < id for parent in one.parents) and len(one.parents) == 1
    assert isinstance(state, Beliefs) and len(state.seen.told) == 12


@pytest.mark.parametrize("acquisition", ["expected_improvement", "confidence_bound", "thompson"])
def test_it_finds_more_than_random_search(acquisition: str) -> None:
    best = {}
    for name, strategy in (
        ("bayesian", Bayesian(space=LANDSCAPE, acquisition=acquisition, candidates=100)),
        ("random", RandomSearch(space=LANDSCAPE)),
    ):
        best[name] = fmean(
            max(LANDSCAPE.score(one.genome) for one in run(strategy, error, 45, seed=seed)[0]) for seed in range(3)
        )
    assert best["bayesian"] > best["random"] + 0.05


@pytest.mark.parametrize(("batch", "window"), [(1, 1), (4, 1), (1, 5), (3, 3)])
def test_no_function_is_proposed_twice_however_it_is_written(batch: int, window: int) -> None:
    space = NasBench201(operations=("none", "skip_connect", "nor_conv_3x3"))
    rng = Random(1)
    score = {space.function_key(space.sample(rng)): rng.random() for _ in range(2000)}
    strategy = Bayesian(space=space, batch=batch, candidates=50, kernel="paths")
    proposals, _ = run(strategy, lambda genome: (score.get(space.function_key(genome), 0.5),), 40, window)
    forms = [space.function_key(one.genome) for one in proposals]
    assert len(set(forms)) == len(forms) >= 40


def test_a_space_that_is_used_up_ends_the_search() -> None:
    space = Bits(4)
    proposals, _ = run(Bayesian(space=space, initial=3), lambda genome: (-space.score(genome),), 50)
    assert len({one.genome for one in proposals}) == len(proposals) == 16


def test_failures_are_no_parents_and_their_neighbourhood_is_left() -> None:
    space = Bits(8)

    def failing(genome: Any) -> tuple[float, ...] | None:
        return None if genome[0] else (-space.score(genome),)

    strategy = Bayesian(space=space, initial=8, fresh=0.5)
    proposals, state = run(strategy, failing, 40)
    for one in proposals:
        assert all(not proposals[parent].genome[0] for parent in one.parents)
    assert all(not proposals[id].genome[0] for id in strategy.population(state))
    later = [one.genome[0] for one in proposals[20:]]
    assert fmean(later) < 0.3, "half of all genomes fail"


def test_everything_that_fails_leaves_samples() -> None:
    proposals, state = run(Bayesian(space=Bits(10), initial=3), lambda genome: None, 20)
    assert [one.operator for one in proposals] == ["sample"] * 20 and state.fits == ()


def test_a_batch_is_spread_by_fantasies() -> None:
    strategy = Bayesian(space=LANDSCAPE, batch=5, initial=10, candidates=300)
    proposals, state = run(strategy, error, 30)
    [*batch], _ = strategy.ask(state, stream(9, "ask"))
    apart = [LANDSCAPE.distance(a.genome, b.genome) for n, a in enumerate(batch) for b in batch[:n]]
    assert len(batch) == 5 and min(apart) > 0 and len(proposals) == 30
    again, _ = strategy.ask(state, stream(9, "ask"))
    assert again == batch, "an ask is a function of state and generator"


def two(genome: Any) -> tuple[float, float]:
    ones = [place for place, bit in enumerate(genome) if bit]
    return -len(ones) / 16, sum(ones) / 120


@pytest.mark.parametrize("several", ["hypervolume", "scalarization"])
def test_several_objectives_give_a_better_front_than_random_search(several: str) -> None:
    space, volumes = Bits(16), {}
    for name, strategy in (
        ("bayesian", Bayesian(space=space, several=several, candidates=60)),
        ("random", RandomSearch(space=space)),
    ):
        proposals, _ = run(strategy, two, 45, seed=2)
        volumes[name] = hypervolume([two(one.genome) for one in proposals], (0.1, 1.1))
    assert volumes["bayesian"] > 1.05 * volumes["random"]


def test_first_ignores_the_others() -> None:
    strategy = Bayesian(space=LANDSCAPE, several="first", candidates=50)
    noise = Random(3)
    alone, _ = run(strategy, error, 20)
    beside, state = run(strategy, lambda genome: (*error(genome), noise.random()), 20)
    assert alone == beside and len(state.fits) == 1
    assert strategy.demands.objectives == "first" and Bayesian(space=LANDSCAPE).demands.objectives == "all"


def test_figures_are_those_of_the_last_fit() -> None:
    strategy = Bayesian(space=LANDSCAPE, candidates=30)
    _, state = run(strategy, error, 15)
    figures = strategy.figures(state)
    assert set(figures) == {"length", "noise", "log_marginal_likelihood"}
    assert all(isinstance(numbers, list) and np.isfinite(numbers).all() for numbers in figures.values())
    assert strategy.figures(Beliefs()) == {"length": [], "noise": [], "log_marginal_likelihood": []}


def test_four_objectives_are_too_many_for_the_volume_alone() -> None:
    objectives = [Objective(name, "min") for name in "abcd"]
    with pytest.raises(UsageError, match="at most 3 objectives, and the run has 4; set strategy.several=scalar"):
        Bayesian(space=LANDSCAPE).check_objectives(objectives)
    Bayesian(space=LANDSCAPE, several="scalarization").check_objectives(objectives)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"initial": 1}, "strategy.initial must be a whole number of at least 2; it is 1"),
        ({"batch": 0}, "strategy.batch must be"),
        ({"kernel": "otman"}, "strategy.kernel must be one of auto, hamming"),
        ({"acquisition": "ei"}, "strategy.acquisition must be one of"),
        ({"beta": -1.0}, "strategy.beta must be a number in"),
        ({"several": "all"}, "strategy.several must be one of"),
        ({"candidates": 0}, "strategy.candidates must be"),
        ({"fresh": 1.5}, "strategy.fresh must be a number in [0, 1]"),
        ({"parents": 0}, "strategy.parents must be"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Bayesian(space=LANDSCAPE, **settings)
    assert text in str(caught.value)
