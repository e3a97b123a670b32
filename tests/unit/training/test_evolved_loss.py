"""Searched losses: equal to the standard ones where they are these, alike in stacks and alone, tried on a probe."""

from __future__ import annotations

from random import Random

import pytest
import torch
from torch import Tensor

from evonas_cli.core.errors import UsageError
from evonas_cli.network.losses import CROSS_ENTROPY, loss_of, taylor
from evonas_cli.network.task import Task
from evonas_cli.spaces.loss_tree import BAIKAL, LossTree
from evonas_cli.spaces.taylor_loss import TaylorLoss
from evonas_cli.training.criteria import CRITERIA
from evonas_cli.training.evolved_loss import MemberLosses, loss_fault

TASK = Task((4,), 3)
THETA = (0.3, 0.4, 1.0, -0.5, 0.25, 2.0, -1.5, 0.75)


def made(losses: list[str], task: Task = TASK, smoothing: float = 0.0, weights: Tensor | None = None) -> MemberLosses:
    criterion = CRITERIA[task.kind](task, weights, torch.ones(task.outputs))
    return MemberLosses(criterion, task, losses, smoothing, weights)


def batch(width: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(width, 7, 3, generator=generator), torch.arange(7) % 3


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_cross_entropy_as_a_formula_is_the_standard_one(smoothing: float) -> None:
    (x, y), weights = batch(2), torch.tensor([1.0, 2.0, 0.5])
    given = weights if not smoothing else None
    standard, formula = (made([loss] * 2, TASK, smoothing, given)(x, y) for loss in ("standard", CROSS_ENTROPY))
    assert torch.allclose(standard, formula, atol=1e-5)


def test_the_polynomial_is_that_of_the_paper() -> None:
    x, y = batch(1)
    p, t = x[0].softmax(-1), torch.nn.functional.one_hot(y, 3).float()
    t0, t1, t2, t3, t4, t5, t6, t7 = THETA
    d, e = p - t1, t - t0
    terms = t2 * d + t3 * d**2 / 2 + t4 * d**3 / 6 + t5 * e * d + t6 * e * d**2 / 2 + t7 * e**2 * d / 2
    assert torch.allclose(made([taylor(THETA)])(x, y)[0], -terms.sum(1), atol=1e-6)


@pytest.mark.parametrize("kind", ["classes", "labels", "numbers"])
def test_members_have_the_losses_that_they_have_alone(kind: str) -> None:
    task = Task((4,), 3, kind)  # type: ignore[arg-type]
    x, y = batch(3)
    y = y if kind == "classes" else torch.randint(2, (7, 3)).float()
    losses = [taylor(THETA), BAIKAL, "standard"]
    together = made(losses, task)(x, y)
    for member, loss in enumerate(losses):
        assert torch.equal(together[member], made([loss], task)(x[member : member + 1], y)[0])


def test_probes_find_losses_without_a_finite_gradient_or_any() -> None:
    assert loss_fault(CROSS_ENTROPY, TASK) is loss_fault(BAIKAL, TASK) is loss_fault("standard", TASK) is None
    steep = "square(square(square(div(1, sub(p, p)))))"
    assert "no finite gradient" in str(loss_fault(steep, TASK))
    assert "gradient of 0" in str(loss_fault("sub(p, p)", TASK))
    assert "gradient of 0" in str(loss_fault(taylor([1.0, 1.0] + [0.0] * 6), TASK))


@pytest.mark.parametrize("text", ["taylor 1 2", "taylor a b c d e f g h", "taylor " + "nan " * 8, "mse", 3])
def test_what_is_no_loss_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="theta0|formula|leaf|number"):
        loss_of(text)


def test_genomes_are_texts_of_losses() -> None:
    taylors, trees, rng = TaylorLoss(), LossTree(), Random(2)
    for _ in range(20):
        genome = taylors.sample(rng)
        text = taylors.decode(genome, TASK).hyper["loss"]
        assert loss_of(text) == genome
        tree = trees.sample(rng)
        assert loss_of(trees.decode(tree, TASK).hyper["loss"]) == tree and "p" in str(tree)
    with pytest.raises(UsageError, match="space.bound is 0"):
        TaylorLoss(bound=0)
