"""Losses and metrics of networks that learn several tasks at once (`Task.members`).

The target of an example tells its task, so a loss is the cross-entropy over the classes of that task alone, whatever
the scores of the other classes are. Metrics are means over the tasks, which thus count alike, and an error for each
task. A network may answer twice (`task_routes` with challengers): its scores are then those of the champions and, after
them, those of the challengers, and both learn.
"""

from __future__ import annotations

import torch
from torch import Tensor

from evonas_cli.network.metrics import of_task
from evonas_cli.network.task import Task
from evonas_cli.training.criteria import Classes, Measured, check_loss

FAR = -1e9
"""A score by which a class of another task is never the answer."""


class Division:
    """Which classes belong to which task."""

    def __init__(self, task: Task) -> None:
        self.outputs, self.tasks = task.outputs, len(task.members)
        self._numbers = torch.repeat_interleave(torch.arange(self.tasks), torch.tensor(task.members))

    def tasks_of(self, targets: Tensor) -> Tensor:
        """The number of each example's task, (B,), by its class (B,)."""
        if self._numbers.device != targets.device:
            self._numbers = self._numbers.to(targets.device)
        return self._numbers[targets]

    def answers(self, outputs: Tensor, targets: Tensor) -> list[Tensor]:
        """Outputs (P, B, answers x classes) as scores (P, B, classes) of each answer, FAR for other tasks' classes."""
        own = self.tasks_of(targets)
        others = self._numbers != own[:, None]
        return [scores.masked_fill(others, FAR) for scores in torch.split(outputs, self.outputs, dim=2)]


class TaskClasses:
    """Cross-entropy over the classes of each example's own task; `class_weights`, (classes,), or None."""

    def __init__(self, task: Task, class_weights: Tensor | None = None) -> None:
        self._task, self._weights, self._division = task, class_weights, Division(task)

    def losses(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """In nats, (P, B): the mean over the answers. Smoothing shares the rest among the classes of the task."""
        found = [_cross_entropy(one, targets, label_smoothing) for one in self._division.answers(outputs, targets)]
        losses = torch.stack(found).mean(0)
        return losses if self._weights is None else losses * self._weights[targets]

    def meter(self, width: int) -> TaskMeter:
        """Those of classes, by tasks."""
        return TaskMeter(self._task, self._division, width)


class TaskMeter:
    """As for classes, with means over the tasks for losses and errors; `error_1`, ... are those of each task, and
    `challenger_error_1`, ... those of challengers."""

    def __init__(self, task: Task, division: Division, width: int) -> None:
        self._division, self._usual = division, Classes(task).meter(width)
        self._sums: list[Tensor] = []
        self._count = torch.zeros(())

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """Takes the outputs (P, B, answers x classes), float32, and the targets of a batch."""
        member = torch.nn.functional.one_hot(self._division.tasks_of(targets), self._division.tasks).double()
        found: list[Tensor] = []
        for scores in self._division.answers(outputs, targets):
            if not found:
                self._usual.add(scores, targets)
            wrong = (scores.argmax(2) != targets).double()
            found.append(torch.stack([_cross_entropy(scores, targets).double() @ member, wrong @ member]))
        self._sums = [a + b for a, b in zip(self._sums, found, strict=True)] if self._sums else found
        self._count = self._count.to(member) + member.sum(0)

    def measured(self) -> list[Measured]:
        """Raises RuntimeError when loss and error of a task contradict each other (`check_loss`)."""
        means = [(sums / self._count).tolist() for sums in self._sums]  # of an answer: losses, errors; member; task
        measured: list[Measured] = []
        for place, usual in enumerate(self._usual.measured()):
            losses, errors = means[0][0][place], means[0][1][place]
            for loss, error in zip(losses, errors, strict=True):
                check_loss(loss, error)
            mean = sum(errors) / len(errors)
            own = {"loss": sum(losses) / len(losses), "error": mean, "accuracy": 1.0 - mean}
            for name, answer in zip(("error", "challenger_error"), means, strict=False):
                own |= {of_task(name, task): error for task, error in enumerate(answer[1][place])}
            measured.append({**usual, **own})
        return measured


def _cross_entropy(scores: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Losses (P, B) of scores (P, B, classes) that are FAR for the classes of other tasks."""
    logs = scores.log_softmax(2)
    losses = -logs.gather(2, targets.expand(len(scores), -1)[..., None]).squeeze(2)
    if not label_smoothing:
        return losses
    own = scores > FAR
    spread = -logs.where(own, torch.zeros_like(logs)).sum(2) / own.sum(2)
    return (1 - label_smoothing) * losses + label_smoothing * spread
