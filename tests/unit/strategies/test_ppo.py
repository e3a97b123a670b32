"""PPO: the ratio begins at one, the objective clips by hand, and without clipping it is REINFORCE."""

from __future__ import annotations

from math import log
from statistics import fmean
from typing import Any

import pytest
import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Figures, Particular, Strategy
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation
from evonas_cli.spaces.chain_cnn import ChainCnn, Layer
from evonas_cli.spaces.chain_landscape import ChainLandscape
from evonas_cli.strategies.controllers import adam
from evonas_cli.strategies.controllers.values import Policy
from evonas_cli.strategies.ppo import Ppo
from evonas_cli.strategies.reinforce import Reinforce

SPACE = ChainLandscape()


def loss(genome: Any) -> float:
    """The landscape's, or for chains of layers how many links the last layer has."""
    return len(genome[-1].inputs) / 3 if isinstance(genome[-1], Layer) else 1 - SPACE.score(genome)


def run(of: Any, n_steps: int) -> tuple[Policy, list[Any]]:
    """Some steps, and the figures after each."""
    state, figures = of.init(stream(0, "init")), []
    for step in range(n_steps):
        proposals, state = of.ask(state, stream(0, "ask", step))
        losses = [
            (1 - SPACE.score(p.genome),) if of.space is SPACE else (len(p.genome[-1].inputs) / 3,) for p in proposals
        ]
        told = [Evaluation(id, p.genome, loss) for id, (p, loss) in enumerate(zip(proposals, losses, strict=True))]
        state = of.tell(state, told, stream(0, "tell", step))
        figures.append(of.figures(state))
    return state, figures


def test_it_is_a_strategy_with_figures_and_checks() -> None:
    of = Ppo(space=SPACE)
    assert isinstance(of, Strategy) and isinstance(of, Figures) and isinstance(of, Particular)


@pytest.mark.parametrize("space", [SPACE, ChainCnn(layers=4)])
def test_the_ratio_is_one_before_the_first_step_of_a_batch(space: Any) -> None:
    _, figures = run(Ppo(space=space, children=5, epochs=3, learning_rate=0.02), 6)
    assert [row["first_ratio"] for row in figures] == [1.0] * 6


def test_one_epoch_without_clipping_is_reinforce() -> None:
    settings: dict[str, Any] = {"space": SPACE, "learning_rate": 0.01, "entropy_weight": 0.01}
    ours, _ = run(Ppo(epochs=1, clip=None, **settings), 10)
    theirs, _ = run(Reinforce(**settings), 10)
    for one, other in zip(weights_and_moments(ours), weights_and_moments(theirs), strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-12)
    assert ours.recent == theirs.recent and ours.baseline == theirs.baseline


def weights_and_moments(state: Policy) -> list[torch.Tensor]:
    trained = state.trained
    return [adam.to_tensor(part) for part in (trained.weights, trained.means, trained.squares)]


def test_the_objective_clips_by_hand() -> None:
    now = torch.tensor([log(1.5), log(1.5), log(0.5), log(0.5), log(1.1)], dtype=torch.float64, requires_grad=True)
    advantages = torch.tensor([1.0, -1.0, 1.0, -1.0, 2.0], dtype=torch.float64)
    gains = Ppo(space=SPACE, clip=0.2)._gain(now, torch.zeros_like(now), advantages)
    assert gains.tolist() == pytest.approx([1.2, -1.5, 0.5, -0.8, 2.2])
    (gradient,) = torch.autograd.grad(gains.sum(), now)
    assert gradient.tolist() == pytest.approx([0, -1.5, 0.5, 0, 2.2])


def test_epochs_go_on_from_one_batch_and_leave_the_baseline_to_it() -> None:
    once, _ = run(Ppo(space=SPACE, epochs=1), 1)
    thrice, _ = run(Ppo(space=SPACE, epochs=3), 1)
    assert (once.trained.steps, thrice.trained.steps) == (1, 3)
    assert once.baseline == thrice.baseline and once.told == thrice.told
    assert once.trained.weights != thrice.trained.weights


def test_clipping_holds_the_policy_near_the_one_that_drew() -> None:
    free, held = (run(Ppo(space=SPACE, epochs=40, clip=clip), 1)[0] for clip in (None, 0.05))
    begun = adam.to_tensor(Ppo(space=SPACE).init(stream(0, "init")).trained.weights)
    moved = [float((adam.to_tensor(state.trained.weights) - begun).norm()) for state in (free, held)]
    assert moved[1] < 0.7 * moved[0]


def test_it_learns_the_chain_landscape() -> None:
    _, figures = run(Ppo(space=SPACE), 60)
    rewards = [row["mean_reward"] for row in figures]
    assert fmean(rewards[-10:]) > fmean(rewards[:10]) + 0.15


@pytest.mark.parametrize("settings", [{"clip": 0}, {"clip": -0.1}, {"epochs": 0}, {"children": 0}])
def test_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"strategy.{next(iter(settings))} must be"):
        Ppo(space=SPACE, **settings)
