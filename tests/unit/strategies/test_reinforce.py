"""REINFORCE: its gradient on a bandit, the baseline, failures, entropy, growing depth, and what it refuses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean, stdev
from typing import Any

import pytest
import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Figures, Particular, Strategy
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation
from evonas_cli.genomes.choices import Choice
from evonas_cli.genomes.walk import Program, kinds_of, walk_choices
from evonas_cli.spaces.chain_cnn import ChainCnn
from evonas_cli.spaces.chain_landscape import ChainLandscape
from evonas_cli.strategies.controllers import adam, sampling
from evonas_cli.strategies.controllers.lstm import Lstm
from evonas_cli.strategies.controllers.values import Policy
from evonas_cli.strategies.reinforce import Reinforce

CHAIN = ChainLandscape(length=4)
Loss = float | None


@dataclass
class Lottery:
    """Decisions that are all independent."""

    options: Sequence[tuple[int, ...]]

    def __post_init__(self) -> None:
        self.choices = [Choice(f"arm {n}", tuple(options)) for n, options in enumerate(self.options)]
        self.kinds = kinds_of(self.choices)

    def walk(self) -> Program[Any]:
        return walk_choices(self.choices)


def strategy(space: Any = CHAIN, **settings: Any) -> Reinforce[Any]:
    return Reinforce(space=space, **({"hidden": 8, "layers": 1} | settings))


def step(of: Any, state: Policy, loss: Callable[[Any, int], Loss], seed: int = 0) -> Policy:
    """One ask and tell."""
    proposals, state = of.ask(state, stream(seed, "ask"))
    told = []
    for id, proposal in enumerate(proposals):
        value = loss(proposal.genome, id)
        told.append(Evaluation(id, proposal.genome, None if value is None else (value,)))
    return of.tell(state, told, stream(seed, "tell"))  # type: ignore[no-any-return]


def ascent(after: Policy) -> torch.Tensor:
    """The gradient of a first step, as the optimiser's memory has it."""
    return adam.to_tensor(after.trained.means) / -(1 - adam.DECAYS[0])


def expected(of: Any, state: Policy, advantages: Sequence[float], scored: int, seed: int = 0) -> torch.Tensor:
    """sum of advantage x grad log P over a batch, / `scored`."""
    [batch] = of.ask(replace(state, pending=()), stream(seed, "ask"))[1].pending
    network = Lstm(of.space.kinds, of.hidden, of.layers)
    weights = adam.to_tensor(state.trained.weights).requires_grad_()
    scores = sampling.score(network, weights, of.space.walk, batch.traces)
    (gradient,) = torch.autograd.grad((scores.log_probabilities * torch.tensor(advantages)).sum() / scored, weights)
    return gradient


def test_it_is_a_strategy_with_figures_and_checks() -> None:
    assert isinstance(strategy(), Strategy) and isinstance(strategy(), Figures) and isinstance(strategy(), Particular)


def test_gradient_on_a_two_armed_bandit() -> None:
    """Rewards 0 and 1: the derivative of the mean reward by the second arm's bias is p (1 - p)."""
    bandit = strategy(Lottery([(0, 1)]), children=1000)
    network = Lstm(bandit.space.kinds, 8, 1)
    sizes = {name: torch.Size(shape).numel() for name, shape in network.shapes.items()}
    place = sum(list(sizes.values())[: list(sizes).index("options bias")]) + 1
    fresh = bandit.init(stream(2, "init"))
    weights = adam.to_tensor(fresh.trained.weights)
    weights[place] -= 0.7
    begun = replace(fresh, trained=adam.begin(weights))
    p = float(sampling.score(network, weights, bandit.space.walk, [(1,)]).log_probabilities.exp())
    assert 0.25 < p < 0.4
    found: dict[float, list[float]] = {0.0: [], p: []}
    for seed in range(100):
        proposals, asked = bandit.ask(begun, stream(seed, "ask"))
        told = [Evaluation(id, proposal.genome, (1.0 - proposal.genome[0],)) for id, proposal in enumerate(proposals)]
        for baseline, gradients in found.items():
            after = bandit.tell(replace(asked, baseline=baseline), told, stream(seed, "tell"))
            gradients.append(float(ascent(after)[place]))
    for gradients in found.values():
        assert fmean(gradients) == pytest.approx(p * (1 - p), rel=0.01)
    assert stdev(found[p]) < 0.6 * stdev(found[0.0])


def test_the_baseline_is_used_before_its_update() -> None:
    rewards = [[0.5, 0.7], [0.8, 0.4]]
    of = strategy(children=2, baseline_decay=0.9)
    first = of.init(stream(0, "init"))
    second = step(of, first, lambda genome, id: 1 - rewards[0][id])
    assert torch.allclose(ascent(second), expected(of, first, [-0.1, 0.1], 2))
    b = 0.9 * (0.9 * 0.6 + 0.1 * 0.5) + 0.1 * 0.7
    assert of.figures(second)["baseline"] == pytest.approx(b)
    begun = replace(second, trained=adam.begin(adam.to_tensor(second.trained.weights)))
    third = step(of, begun, lambda genome, id: 1 - rewards[1][id], seed=1)
    assert torch.allclose(ascent(third), expected(of, begun, [0.8 - b, 0.4 - b], 2, seed=1))
    assert of.figures(third)["baseline"] == pytest.approx(0.9 * (0.9 * b + 0.1 * 0.8) + 0.1 * 0.4)


def test_a_first_batch_of_one_teaches_nothing() -> None:
    of = strategy(children=1)
    state = of.init(stream(0, "init"))
    assert step(of, state, lambda genome, id: 0.3).trained.weights == state.trained.weights


def test_failures_have_the_reward_of_failures_or_no_part() -> None:
    def loss(genome: Any, id: int) -> Loss:
        return None if id == 1 else 0.2 * (id + 1)

    of, silent = strategy(children=3), strategy(children=3, failure_reward=None)
    state = of.init(stream(0, "init"))
    counted = step(of, state, loss)
    assert counted == step(of, state, lambda genome, id: 1.0 if id == 1 else loss(genome, id))
    assert counted.told is not None and counted.told.mean_reward == pytest.approx((0.8 + 0 + 0.4) / 3)
    skipped = step(silent, state, loss)
    assert skipped.told is not None and skipped.told.mean_reward == pytest.approx(0.6)
    assert torch.allclose(ascent(skipped), expected(of, state, [0.2, 0, -0.2], 2))
    nothing = step(silent, state, lambda genome, id: None)
    assert nothing.trained == state.trained and nothing.baseline is None and len(nothing.recent) == 3


def test_the_entropy_bonus_spreads_the_policy() -> None:
    of = strategy(children=4, entropy_weight=1.0, learning_rate=0.02)
    fresh = of.init(stream(0, "init"))
    peaked = replace(fresh, trained=adam.begin(30 * adam.to_tensor(fresh.trained.weights)))
    state, entropies = peaked, []
    for seed in range(20):
        state = step(of, state, lambda genome, id: 0.5, seed)
        entropies.append(of.figures(state)["entropy_per_token"])
    assert entropies[0] < 0.8 < 1.0 < entropies[-1]  # type: ignore[operator]
    assert step(strategy(children=4), peaked, lambda genome, id: 0.5).trained.weights == peaked.trained.weights


def test_clipping_shortens_the_gradient() -> None:
    state = strategy().init(stream(0, "init"))
    long, short = (step(strategy(clip_norm=norm), state, lambda g, id: id / 8) for norm in (None, 1e-3))
    assert float(ascent(short).norm()) == pytest.approx(1e-3)
    assert torch.allclose(ascent(long) * 1e-3 / ascent(long).norm(), ascent(short))
    assert short.told == long.told


def test_collapse_is_told() -> None:
    of = strategy(children=10, learning_rate=1e-9)
    state = of.init(stream(0, "init"))
    peaked = replace(state, trained=adam.begin(200 * adam.to_tensor(state.trained.weights)))
    for begun, collapses in ((state, False), (peaked, True)):
        for seed in range(6):
            assert of.figures(begun).get("collapsed", False) == (collapses and seed >= 5)
            begun = step(of, begun, lambda genome, id: 0.5, seed)
        assert of.figures(begun)["recent"] == 50


def test_depth_grows_with_the_children() -> None:
    of = strategy(ChainCnn(layers=4), children=2, initial_depth=2, depth_growth=1, depth_every=4)
    state, depths = of.init(stream(0, "init")), []
    for seed in range(10):
        proposals, _ = of.ask(state, stream(seed, "ask"))
        state = step(of, state, lambda genome, id: 0.5, seed)
        depths.append(of.figures(state)["depth"])
        assert {len(proposal.genome) for proposal in proposals} == {depths[-1]}
    assert depths == [2, 2, 3, 3, 4, 4, 4, 4, 4, 4]


def test_threads_and_global_generators_do_not_matter() -> None:
    def outcome(threads: int) -> Policy:
        torch.set_num_threads(threads)
        of = strategy(ChainCnn(layers=2), children=64, hidden=64)
        state = of.init(stream(0, "init"))
        for seed in range(3):
            state = step(of, state, lambda genome, id: Random(str(genome)).random(), seed)
        return state

    before, generator = torch.get_num_threads(), torch.get_rng_state()
    try:
        assert outcome(1) == outcome(2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert torch.equal(generator, torch.get_rng_state())


def test_it_learns_the_chain_landscape() -> None:
    space, rewards = ChainLandscape(), []
    of = Reinforce(space=space)
    state = of.init(stream(0, "init"))
    for seed in range(60):
        state = step(of, state, lambda genome, id: 1 - space.score(genome), seed)
        rewards.append(of.figures(state)["mean_reward"])
    assert fmean(rewards[-10:]) > fmean(rewards[:10]) + 0.15  # type: ignore[arg-type,type-var]


@pytest.mark.parametrize(
    ("settings", "loss", "reward"),
    [
        ({"reward_power": 3}, 0.2, 0.8**3),
        ({"reward": "score", "reward_power": 2}, -0.9, 0.81),
        ({"reward": "score"}, 0.5, -0.5),
        ({"reward": "reciprocal_square", "reward_constant": 80}, 100.0, 0.008),
        ({}, 1.5, "error in"),
        ({}, -0.9, "error in"),
        ({"reward": "score", "reward_power": 2}, 0.5, "reward_power=1"),
        ({"reward": "reciprocal_square"}, 0.0, "perplexity, above 0"),
    ],
)
def test_rewards(settings: dict[str, Any], loss: float, reward: float | str) -> None:
    of = strategy(children=1, **settings)
    state = of.init(stream(0, "init"))
    if isinstance(reward, str):
        with pytest.raises(UsageError, match=reward):
            step(of, state, lambda genome, id: loss)
    else:
        assert of.figures(step(of, state, lambda genome, id: loss))["mean_reward"] == pytest.approx(reward)


@pytest.mark.parametrize(
    "override",
    [
        "strategy.reward=reciprocal_square",
        "strategy.reward=score",
        "strategy.reward_power=0",
        "strategy.baseline_decay=1",
        "strategy.children=0",
        "strategy.learning_rate=0",
        "strategy.clip_norm=0",
        "strategy.entropy_weight=-1",
        "strategy.initial_depth=2",
    ],
)
def test_refused_at_the_start(override: str, compose_parts: Callable[..., Any]) -> None:
    chosen = ["space=chain_landscape", "job=landscape", "strategy=reinforce"]
    compose_parts(*chosen)
    with pytest.raises(UsageError, match=override.split("=")[0].replace(".", r"\.")) as caught:
        compose_parts(*chosen, override)
    assert "\n" not in str(caught.value)


def test_depths_and_spaces_that_do_not_fit(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UsageError, match="initial_depth must be 1 to 4"):
        strategy(ChainCnn(layers=4), initial_depth=5)
    with pytest.raises(UsageError, match="nothing to decide"):
        strategy(Lottery([]))
    with caplog.at_level(logging.WARNING):
        strategy(Lottery([(0, 1), (7,)]))
    assert "one option" in caplog.text and "arm 1" in caplog.text
