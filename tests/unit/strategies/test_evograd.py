"""EvoGrad: its step is the gradient that automatic differentiation finds, and the mean reaches the parabola's top."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.genomes.choices import Genes
from evonas_cli.genomes.ranges import Real
from evonas_cli.spaces.bits import Bits
from evonas_cli.spaces.hyperparameters import Hyperparameters
from evonas_cli.spaces.parabola import Parabola
from evonas_cli.strategies.evograd import EvoGrad, Gaussian, standardised

RANGES = {
    "learning_rate": {"low": 0.0001, "high": 1.0, "log": True},
    "momentum": {"low": 0.5, "high": 0.9},
}


def climb(strategy: EvoGrad, steps: int, window: int = 1, seed: int = 0) -> Gaussian:
    """The state after so many steps on the space's own landscape, without noise."""
    space: Any = strategy.space
    state, waiting, asked = strategy.init(Random(0)), [], 0
    for step in range(steps):
        while asked < steps and len(waiting) < window:
            proposals, state = strategy.ask(state, stream(seed, "ask", asked))
            waiting.append(proposals)
            asked += 1
        state = strategy.tell(state, told(waiting.pop(0), [space.score]), stream(seed, "tell", step))
    return state


def told(proposals: Sequence[Proposal[Genes]], score: Sequence[Any]) -> list[Evaluation[Genes]]:
    [fitness] = score
    return [Evaluation(id, each.genome, (1 - fitness(each.genome),)) for id, each in enumerate(proposals)]


SETTINGS = [{}, {"learn_sigma": True}, {"n": 200, "antithetic": False, "sigma": 0.02, "learning_rate": 0.2}]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_mean_reaches_the_top_of_the_parabola(seed: int, settings: dict[str, Any]) -> None:
    """Within 0.1 of 5 after 100 steps, begun at 0."""
    strategy = EvoGrad(space=Parabola(), **settings)
    before: Any = strategy.figures(strategy.init(Random(0)))
    found: Any = strategy.figures(climb(strategy, 100, seed=seed))
    assert before["mean"]["x"] == 0 and abs(found["mean"]["x"] - 5) < 0.1
    assert (found["sigma"]["x"] == before["sigma"]["x"]) == ("learn_sigma" not in settings)


def test_it_does_so_under_a_window() -> None:
    found: Any = climb(EvoGrad(space=Parabola(), learning_rate=0.1), 100, window=3)
    assert abs(40 * found.mean[0] - 20 - 5) < 0.1


@pytest.mark.parametrize("antithetic", [True, False])
def test_a_step_is_the_natural_gradient_of_the_expected_fitness(antithetic: bool) -> None:
    """Automatic differentiation of the mean of F log N(x; mean, sigma), times the inverse Fisher information."""
    space = Hyperparameters(RANGES)
    strategy = EvoGrad(space=space, n=6, learning_rate=0.03, sigma=0.2, learn_sigma=True, antithetic=antithetic)
    proposals, state = strategy.ask(strategy.init(Random(0)), stream(3, "ask"))
    losses = [0.3, 0.9, 0.1, 0.4, 0.8, 0.2]
    evaluations = [Evaluation(id, proposals[id].genome, (loss,)) for id, loss in enumerate(losses)]
    after = strategy.tell(state, evaluations, Random(0))

    mean = torch.tensor(state.mean, dtype=torch.float64, requires_grad=True)
    log_sigma = torch.tensor(state.sigma, dtype=torch.float64).log().requires_grad_()
    x = mean.detach() + log_sigma.detach().exp() * torch.tensor(state.pending[0].noise, dtype=torch.float64)
    fitness = -torch.tensor(losses, dtype=torch.float64)
    fitness = (fitness - fitness.mean()) / fitness.std(correction=0)
    density = torch.distributions.Normal(mean, log_sigma.exp()).log_prob(x).sum(1)
    (density * fitness).mean().backward()
    assert mean.grad is not None and log_sigma.grad is not None
    assert after.mean == pytest.approx((mean + 0.03 * 0.2**2 * mean.grad).tolist(), rel=1e-9)
    assert after.sigma == pytest.approx((log_sigma + 0.03 / 2 * log_sigma.grad).exp().tolist(), rel=1e-9)
    assert after.pending == ()


def test_pairs_lie_on_both_sides_of_the_mean_on_the_ranges_own_scale() -> None:
    """On a logarithmic range a pair has the middle as geometric mean, on a linear one as arithmetic mean."""
    strategy = EvoGrad(space=Hyperparameters(RANGES), n=8)
    proposals, state = strategy.ask(strategy.init(Random(0)), Random(1))
    figures: Any = strategy.figures(state)
    assert figures["mean"] == pytest.approx({"learning_rate": 0.01, "momentum": 0.7})
    for first, second in zip(proposals[::2], proposals[1::2], strict=True):
        rates = [float(p.genome[0]) for p in (first, second)]
        momenta = [float(p.genome[1]) for p in (first, second)]
        assert (rates[0] * rates[1]) ** 0.5 == pytest.approx(0.01)
        assert sum(momenta) / 2 == pytest.approx(0.7)


def test_draws_beyond_a_range_stand_at_its_end_and_the_mean_stays_inside() -> None:
    space = Parabola(low=0, high=1, optimum=1)
    strategy = EvoGrad(space=space, n=20, sigma=0.5)
    state = climb(strategy, 30)
    assert 0.8 < state.mean[0] <= 1
    proposals, _ = strategy.ask(state, Random(0))
    genes = [p.genome[0] for p in proposals]
    assert 1.0 in genes and all(0 <= float(gene) <= 1 for gene in genes)


def test_failures_count_as_the_worst_of_their_step() -> None:
    assert standardised([1.0, None, 3.0]) == standardised([1.0, 3.0, 3.0])
    assert standardised([2.0, 2.0, None]) == [0, 0, 0]
    assert standardised([None, None]) == [0, 0]
    found = standardised([6.0, 1.0, 1.0, 2.0])
    assert sum(found) == pytest.approx(0) and sum(f * f for f in found) / 4 == pytest.approx(1)
    assert found[1] == found[2] > found[3] > 0 > found[0]


def test_a_step_in_which_all_fail_moves_nothing() -> None:
    strategy = EvoGrad(space=Parabola(), learn_sigma=True)
    proposals, state = strategy.ask(strategy.init(Random(0)), Random(1))
    after = strategy.tell(state, [Evaluation(id, p.genome, None) for id, p in enumerate(proposals)], Random(0))
    assert after == strategy.init(Random(0))


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ({"n": 1}, "strategy.n must be a whole number of at least 2; it is 1"),
        ({"n": 5}, "strategy.n=5 must be even where strategy.antithetic=true"),
        ({"sigma": 0}, r"strategy.sigma must be a number in \(0, 1\]; it is 0"),
        ({"sigma": -0.1}, "strategy.sigma must be"),
        ({"learning_rate": 0.0}, "strategy.learning_rate must be"),
        ({"learn_sigma": 1}, "strategy.learn_sigma must be true or false"),
        ({"antithetic": None}, "strategy.antithetic must be true or false"),
    ],
)
def test_settings_that_are_refused(refused: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        EvoGrad(space=Parabola(), **refused)


def test_discrete_genes_are_refused_by_name() -> None:
    mixed = {**RANGES, "batch_size": {"options": [16, 32]}, "epochs": {"low": 1, "high": 9, "integer": True}}
    with pytest.raises(UsageError, match="of the space are discrete: batch_size, epochs; make"):
        EvoGrad(space=Hyperparameters(mixed)).init(Random(0))
    with pytest.raises(UsageError, match="discrete: bit_0, .*, bit_5, 3 more;"):
        EvoGrad(space=Bits(9)).init(Random(0))
    assert all(isinstance(locus, Real) for locus in Hyperparameters(RANGES).choices)
