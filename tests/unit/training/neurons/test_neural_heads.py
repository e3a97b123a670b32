"""Losses and their gradients are those of torch's own functions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.network.task import Task
from evonas_cli.training.neurons.heads import Binary, Numbers, Several, head_of

MEMBERS, WIDTH = 3, 16


def drawn(n_outputs: int, scale: float = 3.0) -> Tensor:
    generator = torch.Generator().manual_seed(n_outputs)
    return (torch.randn(MEMBERS * n_outputs, WIDTH, generator=generator) * scale).requires_grad_()


def check(head: Binary | Several | Numbers, outputs: Tensor, targets: Tensor, wanted: Tensor) -> None:
    """`wanted` are losses (members, width) that torch can differentiate."""
    wanted.sum().backward()
    assert outputs.grad is not None
    assert torch.allclose(head.losses(outputs.detach(), targets), wanted.detach(), rtol=1e-5, atol=1e-6)
    assert torch.allclose(head.slopes(outputs.detach(), targets), outputs.grad, rtol=1e-5, atol=1e-6)


def test_two_classes() -> None:
    outputs, targets = drawn(1), (torch.arange(WIDTH) % 2).float()
    wanted = F.binary_cross_entropy_with_logits(outputs, targets.expand(MEMBERS, -1), reduction="none")
    check(Binary(), outputs, targets, wanted)


def test_several_classes() -> None:
    outputs, targets = drawn(4), torch.arange(WIDTH) % 4
    scores = outputs.view(MEMBERS, 4, WIDTH)
    check(Several(4), outputs, targets, F.cross_entropy(scores, targets.expand(MEMBERS, -1), reduction="none"))


def test_numbers() -> None:
    outputs, targets = drawn(2), torch.linspace(-2, 2, 2 * WIDTH).view(2, WIDTH)
    check(Numbers(2), outputs, targets, (outputs.view(MEMBERS, 2, WIDTH) - targets).square().mean(1))


@pytest.mark.parametrize("size", [-500.0, 500.0])
def test_large_outputs_have_finite_losses(size: float) -> None:
    targets = torch.tensor([0.0, 1.0])
    assert Binary().losses(torch.tensor([[size, size]]), targets).tolist() == [[max(size, 0.0), max(-size, 0.0)]]
    losses = Several(3).losses(torch.tensor([[0.0], [size], [0.0]]), torch.tensor([0]))
    assert losses.item() == pytest.approx(max(size, 0.6931472))


def test_who_is_wrong() -> None:
    """A probability of 1/2 is class 0."""
    outputs, targets = torch.tensor([[-1.0, 0.0, 0.5, 2.0]]), torch.tensor([0.0, 1.0, 1.0, 0.0])
    assert Binary().wrong(outputs, targets).tolist() == [[False, True, False, True]]
    scores = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    assert Several(3).wrong(scores, torch.tensor([1, 1])).tolist() == [[False, True]]


def test_distances_are_those_of_probabilities() -> None:
    outputs, targets = torch.tensor([[0.0, 100.0]]), torch.tensor([1.0, 0.0])
    assert Binary().distances(outputs, targets).tolist() == [[0.5, 1.0]]


def test_the_head_of_a_task() -> None:
    heads = [head_of(Task((2,), 2)), head_of(Task((2,), 3)), head_of(Task((2,), 2, "numbers"))]
    assert [type(head).__name__ for head in heads] == ["Binary", "Several", "Numbers"]
    assert [head.n_outputs for head in heads] == [1, 3, 2]
