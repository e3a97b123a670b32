"""Losses that are polynomials or formulas (network/losses.py), computed for the members of a population."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.network.losses import Loss, loss_of, unfit
from evonas_cli.network.task import Kind, Task
from evonas_cli.network.trees import Tree
from evonas_cli.nn.formulas import computed
from evonas_cli.training.criteria import Criterion

PROBES = (-10.0, -3.0, -1.0, 0.0, 1.0, 3.0, 10.0)
"""Outputs of a network, and differences between them, at which the gradient of a loss is tried."""


class MemberLosses:
    """The losses of the examples of a batch, (P, B), of outputs (P, B, O): each member by the loss that it has.

    The members of `losses` are texts. A member's numbers depend on its own loss and outputs alone. Where all have the
    standard loss, it is that of the criterion, for all at once.
    """

    def __init__(
        self,
        criterion: Criterion,
        task: Task,
        losses: Sequence[str],
        label_smoothing: float = 0.0,
        class_weights: Tensor | None = None,
    ) -> None:
        self._criterion, self._task, self._smoothing = criterion, task, label_smoothing
        self._weights, self._losses = class_weights, [loss_of(text) for text in losses]

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if all(loss is None for loss in self._losses):
            return self._criterion.losses(outputs, targets, self._smoothing)
        y = wanted(targets, self._task, self._smoothing)
        p = predicted(outputs, self._task.kind)
        return torch.stack([self._of(member, loss, outputs, p, y, targets) for member, loss in enumerate(self._losses)])

    def _of(self, member: int, loss: Loss, outputs: Tensor, p: Tensor, y: Tensor, targets: Tensor) -> Tensor:
        """The losses of one member, (B,)."""
        if loss is None:
            return self._criterion.losses(outputs[member : member + 1], targets, self._smoothing)[0]
        values = value(loss, y, p[member])
        found = values.sum(1) if self._task.kind == "classes" else values.mean(1)
        return found if self._weights is None else found * (y @ self._weights)


def value(loss: Tree | tuple[float, ...], y: Tensor, p: Tensor) -> Tensor:
    """The loss of each number of the targets and predictions, which have one shape."""
    if isinstance(loss, Tree):
        return computed(loss, {"p": p, "y": y})
    t0, t1, t2, t3, t4, t5, t6, t7 = loss
    d, e = p - t1, y - t0
    return -d * (t2 + e * (t5 + t7 / 2 * e) + d * (t3 / 2 + t6 / 2 * e + t4 / 6 * d))


def wanted(targets: Tensor, task: Task, label_smoothing: float) -> Tensor:
    """The targets as numbers, (B, O): of classes the probabilities, smoothed as the standard losses do."""
    if task.kind == "classes":
        y = F.one_hot(targets, task.outputs).float() if targets.dim() == 1 else targets
        return y + label_smoothing * (1 / task.outputs - y)
    return targets + label_smoothing * (0.5 - targets) if task.kind == "labels" else targets


def predicted(outputs: Tensor, kind: Kind) -> Tensor:
    """Probabilities of classes or labels; numbers as they are."""
    if kind == "classes":
        return outputs.softmax(-1)
    return outputs.sigmoid() if kind == "labels" else outputs


@cache
def loss_fault(text: str, task: Task) -> str | None:
    """Why a loss cannot be trained by, as a clause: on a probe batch its gradient is not finite, or nothing but 0."""
    loss = loss_of(text)
    if loss is None:
        return None
    if (reason := unfit(task)) is not None:
        return reason
    generator = torch.Generator().manual_seed(0)
    levels = torch.tensor(PROBES)
    picked = torch.randint(len(PROBES), (8 * len(PROBES), task.outputs), generator=generator)
    outputs = torch.cat([levels[:, None].expand(-1, task.outputs), levels[picked]]).requires_grad_()
    if task.kind == "classes":
        targets = torch.arange(len(outputs)) % task.outputs
    else:
        targets = torch.randint(2, outputs.shape, generator=generator).float()
    values = value(loss, wanted(targets, task, 0.0), predicted(outputs, task.kind))
    (gradient,) = torch.autograd.grad(values.sum(), outputs, allow_unused=True)
    if not values.isfinite().all() or gradient is None or not gradient.isfinite().all():
        return "has no finite gradient on a probe batch"
    return None if gradient.abs().max() > 0 else "has a gradient of 0 on a probe batch: it is the same for all networks"
