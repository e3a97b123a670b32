"""Mixture weights: the gradient is that of the loss, F never rises, penalties shrink weights to exactly 0."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.training.mixture import Objective, fit, shrunk


def drawn(seed: int, networks: int, examples: int = 30, classes: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and classes of a generator."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(networks, examples, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(classes, (examples,), generator=generator)


def value(logits: torch.Tensor, targets: torch.Tensor, penalties: list[float], weights: list[float]) -> float:
    sums = sum(weight * own for weight, own in zip(weights, logits, strict=True))
    loss = torch.nn.functional.cross_entropy(sums, targets)
    return float(loss) + sum(p * abs(w) for p, w in zip(penalties, weights, strict=True))


def test_the_gradient_is_that_of_the_loss() -> None:
    logits, targets = drawn(1, 3)
    objective = Objective(logits, targets, torch.zeros(3, dtype=torch.float64))
    weights = torch.tensor([0.3, -1.2, 0.7], dtype=torch.float64, requires_grad=True)
    [by_torch] = torch.autograd.grad(objective.loss(weights), weights)
    assert torch.allclose(objective.gradient(weights.detach()), by_torch)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.floats(0, 0.5), min_size=1, max_size=4), st.integers(1, 20))
def test_more_steps_never_raise_the_objective(seed: int, penalties: list[float], steps: int) -> None:
    n = len(penalties)
    logits, targets = drawn(seed, n)
    start = value(logits, targets, penalties, [1 / n] * n)
    few, more = fit(logits, targets, penalties, steps), fit(logits, targets, penalties, steps + 5)
    assert more.objective <= few.objective <= start
    assert few.objective == pytest.approx(value(logits, targets, penalties, list(few.weights)))


def test_the_fit_ends_at_the_optimum_of_a_convex_objective() -> None:
    logits, targets = drawn(3, 3)
    penalties = [0.01, 0.02, 0.05]
    found = fit(logits, targets, penalties, 2000)
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        near = (torch.tensor(found.weights) + 0.05 * torch.randn(3, generator=generator)).tolist()
        assert value(logits, targets, penalties, near) >= found.objective - 1e-9


def test_a_large_penalty_removes_a_network_and_no_penalty_keeps_a_good_one() -> None:
    logits, targets = drawn(4, 2)
    logits[0] += 3 * torch.nn.functional.one_hot(targets, 4)
    found = fit(logits, targets, [0.0, 5.0], 300)
    assert found.weights[1] == 0.0 and found.weights[0] > 0.5


def test_outputs_that_are_not_finite_are_refused() -> None:
    logits, targets = drawn(5, 2)
    logits[1, 0, 0] = float("nan")
    with pytest.raises(ValueError, match="the outputs of a member are not finite"):
        fit(logits, targets, [0.0, 0.0], 3)


def test_soft_thresholding() -> None:
    found = shrunk(torch.tensor([2.0, -2.0, 0.5]), torch.tensor([1.0, 0.5, 1.0]))
    assert found.tolist() == [1.0, -1.5, 0.0]
