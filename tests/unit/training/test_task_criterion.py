"""Losses and metrics of several tasks: over the classes of an example's own task, and means over the tasks."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from evonas_cli.network.losses import taylor
from evonas_cli.network.metrics import metrics_of
from evonas_cli.network.task import Task
from evonas_cli.training.evolved_loss import loss_fault
from evonas_cli.training.task_criterion import TaskClasses

TASK = Task((3,), 5, members=(2, 3))
TARGETS = torch.tensor([0, 1, 2, 4, 4])
OUTPUTS = torch.randn(2, 5, 5, generator=torch.Generator().manual_seed(0))


def one_by_one(outputs: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """The losses by torch, task by task."""
    first = F.cross_entropy(outputs[:2, :2], TARGETS[:2], reduction="none", label_smoothing=smoothing)
    second = F.cross_entropy(outputs[2:, 2:], TARGETS[2:] - 2, reduction="none", label_smoothing=smoothing)
    return torch.cat([first, second])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_losses_are_those_of_each_task_by_itself(smoothing: float) -> None:
    found = TaskClasses(TASK).losses(OUTPUTS, TARGETS, smoothing)
    torch.testing.assert_close(found, torch.stack([one_by_one(outputs, smoothing) for outputs in OUTPUTS]))


def test_of_two_answers_both_learn_and_classes_can_have_weights() -> None:
    both, weights = torch.cat([OUTPUTS[:1], OUTPUTS[1:]], dim=2), torch.arange(1.0, 6.0)
    wanted = (one_by_one(OUTPUTS[0]) + one_by_one(OUTPUTS[1])) / 2
    torch.testing.assert_close(TaskClasses(TASK, weights).losses(both, TARGETS)[0], wanted * weights[TARGETS])


def test_what_would_mix_the_tasks_is_refused() -> None:
    assert loss_fault(taylor((0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0)), TASK) == (
        "is over all classes, while each of several tasks has classes of its own"
    )


def test_metrics_are_means_over_tasks_and_each_task_has_its_error() -> None:
    both = torch.cat([OUTPUTS, OUTPUTS.flip(0)], dim=2)
    meter = TaskClasses(TASK).meter(2)
    for rows in (slice(0, 3), slice(3, 5)):
        meter.add(both[:, rows], TARGETS[rows])
    measured = meter.measured()
    for place, metrics in enumerate(measured):
        outputs, losses = OUTPUTS[place], one_by_one(OUTPUTS[place])
        errors = [float((outputs[:2, :2].argmax(1) != TARGETS[:2]).double().mean()),
                  float((outputs[2:, 2:].argmax(1) + 2 != TARGETS[2:]).double().mean())]  # fmt: skip
        assert [metrics["error_1"], metrics["error_2"]] == pytest.approx(errors)
        assert metrics["error"] == pytest.approx(sum(errors) / 2) == pytest.approx(1 - metrics["accuracy"])
        assert metrics["loss"] == pytest.approx(float(losses[:2].mean() + losses[2:].mean()) / 2)
        other = measured[1 - place]
        assert [metrics["challenger_error_1"], metrics["challenger_error_2"]] == [other["error_1"], other["error_2"]]
    declared = metrics_of("classes", 5, tasks=2, rivals=True)
    assert {f"valid_{name}" for name in measured[0]} == set(declared)
