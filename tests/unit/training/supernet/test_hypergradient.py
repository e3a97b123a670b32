"""The gradient through one step of training, against calculus and finite differences."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor

from evonas_cli.training.supernet.adam import Adam
from evonas_cli.training.supernet.hypergradient import curvature, unrolled


@pytest.mark.parametrize("xi", [0.0, 0.1, 0.4])
def test_the_toy_of_one_weight(xi: float) -> None:
    w, alpha = (torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (0.3, 2.0))
    found = unrolled(lambda: (w - alpha).square().sum(), lambda: (w - 1).square().sum(), [w], [alpha], xi)
    stepped = 0.3 - xi * 2 * (0.3 - 2.0)
    assert float(found[0]) == pytest.approx(2 * (stepped - 1) * 2 * xi, abs=1e-3)
    assert float(w.detach()) == 0.3, "the weights are as before"


def losses(w: Tensor, alphas: Tensor) -> tuple[Tensor, Tensor]:
    """Of two weights and three alphas: five parameters, and nothing quadratic."""
    shares = alphas.softmax(0)
    features = torch.stack([torch.tanh(w[0]), w[0] * w[1], torch.sin(w[1])])
    return (features @ shares - 0.7).square() + 0.1 * w.square().sum(), torch.exp(-(features @ shares)) + 0.3 * w[0]


def test_five_parameters_with_momentum_and_decay_against_finite_differences() -> None:
    w = torch.tensor([0.4, -0.9], dtype=torch.float64, requires_grad=True)
    alphas = torch.tensor([0.2, -0.1, 0.5], dtype=torch.float64, requires_grad=True)
    momentum, xi, decay = torch.tensor([0.05, -0.02], dtype=torch.float64), 0.3, 0.01

    def outer(at: Tensor) -> float:
        weights = w.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(losses(weights, at)[0], weights)
        moved = weights.detach() - xi * (momentum + gradient + decay * weights.detach())
        return float(losses(moved, at)[1])

    found = unrolled(
        lambda: losses(w, alphas)[0], lambda: losses(w, alphas)[1], [w], [alphas], xi, [momentum], decay
    )  # fmt: skip
    for place in range(3):
        shift = torch.zeros(3, dtype=torch.float64)
        shift[place] = 1e-5
        wanted = (outer(alphas.detach() + shift) - outer(alphas.detach() - shift)) / 2e-5
        assert float(found[0][place]) == pytest.approx(wanted, abs=1e-3)


def test_curvature_is_the_hessian() -> None:
    matrix = torch.tensor([[2.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 4.0]], dtype=torch.float64)
    first = torch.tensor([0.3, -1.0], dtype=torch.float64, requires_grad=True)
    second = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)

    def gradients() -> tuple[Tensor, ...]:
        x = torch.cat([first, second])
        return torch.autograd.grad(0.5 * x @ matrix @ x, [first, second])

    torch.testing.assert_close(curvature(gradients, [first, second]), matrix)
    assert first.tolist() == [0.3, -1.0] and second.tolist() == [2.0]


def test_adam_is_torchs() -> None:
    generator = torch.Generator().manual_seed(1)
    own, theirs = ([torch.ones(3), torch.full((2, 2), 0.5)] for _ in range(2))
    for value in theirs:
        value.requires_grad_()
    make = partial(torch.optim.Adam, lr=3e-2, betas=(0.5, 0.999), weight_decay=1e-2)
    adam, reference = Adam(own, 3e-2, (0.5, 0.999), 1e-2), make(theirs)
    for _ in range(5):
        gradients = [torch.randn(value.shape, generator=generator) for value in own]
        adam.step(gradients)
        for value, gradient in zip(theirs, gradients, strict=True):
            value.grad = gradient.clone()
        reference.step()
    for mine, other in zip(own, theirs, strict=True):
        torch.testing.assert_close(mine, other.detach(), rtol=1e-5, atol=1e-6)
