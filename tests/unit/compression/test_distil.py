"""The loss of soft targets by its definition, and teachers of other tasks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from evonas_cli.compression.distil import check_teacher, softened
from evonas_cli.core.errors import UsageError
from evonas_cli.network.signature import Signature
from evonas_cli.network.task import Task


def test_classes_have_the_softened_cross_entropy() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs, taught = (torch.randn(4, 3, generator=generator) for _ in range(2))
    for temperature in (1.0, 4.0):
        p = torch.exp(taught / temperature) / torch.exp(taught / temperature).sum(1, keepdim=True)
        q = torch.exp(outputs / temperature) / torch.exp(outputs / temperature).sum(1, keepdim=True)
        wanted = -(temperature**2) * (p * q.log()).sum(1)
        torch.testing.assert_close(softened(outputs, taught, temperature, "classes"), wanted)


@pytest.mark.parametrize("kind", ["classes", "labels", "numbers"])
def test_the_teachers_own_answers_are_the_least_loss(kind: str) -> None:
    taught = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    outputs = taught.clone().requires_grad_()
    softened(outputs, taught, 4.0, kind).sum().backward()
    assert outputs.grad is not None and outputs.grad.abs().max() < 1e-6
    away = taught + torch.randn(5, 3, generator=torch.Generator().manual_seed(2))
    assert (softened(away, taught, 4.0, kind) > softened(taught, taught, 4.0, kind)).all()


def test_gradients_keep_their_size_at_high_temperatures() -> None:
    taught, sizes = torch.tensor([[1.0, -1.0, 0.0]]), []
    for temperature in (20.0, 200.0):
        outputs = torch.zeros(1, 3, requires_grad=True)
        softened(outputs, taught, temperature, "classes").sum().backward()
        assert outputs.grad is not None
        sizes.append(float(outputs.grad.norm()))
    assert sizes[0] == pytest.approx(sizes[1], rel=0.05)


def test_teachers_of_another_task_are_refused() -> None:
    own = Signature(Task((1, 8, 8), 10), (0.0,), (1.0,), ("a", "b"), preparation={"form": "arrays", "bytes": True})
    check_teacher(replace(own, mean=(3.0,), names=()), own, "t")
    with pytest.raises(UsageError, match="t is of another task: it says 3 classes of images 1x8x8, the network 10"):
        check_teacher(replace(own, task=Task((1, 8, 8), 3)), own, "t")
    with pytest.raises(UsageError, match="other names or places"):
        check_teacher(replace(own, names=("b", "a")), own, "t")
    with pytest.raises(UsageError, match="prepares raw inputs otherwise"):
        check_teacher(replace(own, preparation={"form": "arrays", "bytes": False}), own, "t")
