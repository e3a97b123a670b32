"""How the outputs of the members become losses in training, and metrics in validation, for each kind of task.

Areas under the receiver operating characteristic are computed as the Mann-Whitney statistic (Hanley and McNeil, 1982).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import exp, inf, log
from typing import Protocol, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.network.task import Kind, Task
from evonas_cli.training.detection import Boxes

Measured: TypeAlias = dict[str, float]

LARGEST_LOSS = 700.0
"""Nats a token: the perplexity of a larger loss is no number that a computer holds."""


class Meter(Protocol):
    """Sums over the batches of a part what the metrics of each member need."""

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """Takes the outputs (P, B, O), float32, and the targets of a batch."""

    def measured(self) -> list[Measured]:
        """The metrics of each member, by their names without the part: `loss`, `error`, ..."""


class Criterion(Protocol):
    """The loss and the metrics of one kind of task."""

    def losses(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """The loss of each example, (P, B), from outputs (P, B, O), float32, and the targets that all members share."""

    def meter(self, width: int) -> Meter:
        """A meter for `width` members."""


def cross_entropies(
    scores: Tensor, y: Tensor, label_smoothing: float = 0.0, class_weights: Tensor | None = None
) -> Tensor:
    """Cross-entropies in nats, (P, B), of scores (P, B, classes) and labels that the members share: classes (B,), or
    probabilities (B, classes). `class_weights`, (classes,), multiply the losses of the classes.

    On CPUs the examples are the last dimension, since sums over a few adjacent classes leave vectors empty; on CUDA
    devices that loss has no deterministic form.
    """
    shared = y.expand(len(scores), *y.shape)
    if not scores.is_cuda:
        classes = shared.transpose(1, 2) if y.dim() == 2 else shared
        by_class = scores.transpose(1, 2).contiguous()
        return F.cross_entropy(by_class, classes, class_weights, reduction="none", label_smoothing=label_smoothing)
    flat = F.cross_entropy(
        scores.flatten(0, 1),
        shared.flatten(0, 1),
        class_weights,
        reduction="none",
        label_smoothing=label_smoothing,
    )
    return flat.view(len(scores), -1)


class Classes:
    """Cross-entropy of one class for each example; `class_weights`, (classes,), or None."""

    def __init__(self, task: Task, class_weights: Tensor | None = None) -> None:
        self._task, self._weights = task, class_weights

    def losses(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """In nats; targets are classes (B,), or probabilities (B, classes)."""
        return cross_entropies(outputs, targets, label_smoothing, self._weights)

    def meter(self, width: int) -> Meter:
        """Loss without weights, errors, recalls and precisions of the classes."""
        return _ClassMeter(width, self._task.outputs)


class _ClassMeter:
    def __init__(self, width: int, classes: int) -> None:
        self._width, self._classes, self._examples = width, classes, 0
        self._total: Tensor | None = None
        self._margins: list[Tensor] = []
        self._targets: list[Tensor] = []

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        if self._total is None:
            self._total = torch.zeros(2, self._width, dtype=torch.float64, device=outputs.device)
            self._hits = torch.zeros(self._width, self._classes, dtype=torch.int64, device=outputs.device)
            self._found, self._there = self._hits.clone(), self._hits[0].clone()
        answers, classes = outputs.argmax(dim=2), torch.arange(self._classes, device=outputs.device)
        self._total[0] += cross_entropies(outputs, targets).sum(1)
        self._total[1] += (answers != targets).sum(1)
        given, right = answers[..., None] == classes, targets[:, None] == classes
        self._found += given.sum(1)
        self._hits += (given & right).sum(1)
        self._there += right.sum(0)
        self._examples += len(targets)
        if self._classes == 2:
            self._margins.append(outputs[..., 1] - outputs[..., 0])
            self._targets.append(targets)

    def measured(self) -> list[Measured]:
        """Raises RuntimeError when loss and error contradict each other (`check_loss`)."""
        assert self._total is not None
        there = (self._there > 0).double()
        hits, found = self._hits.double(), self._found + self._there
        recalls = (hits / self._there.clamp_min(1) * there).sum(1) / there.sum()
        f1 = (2 * hits / found.clamp_min(1) * there).sum(1) / there.sum()
        rows = torch.cat([self._total / self._examples, torch.stack([1.0 - recalls, f1])]).T.tolist()
        areas = _areas(torch.cat(self._margins, 1), torch.cat(self._targets)) if self._classes == 2 else []
        measured = []
        for place, (loss, error, balanced_error, f1_here) in enumerate(rows):
            check_loss(loss, error)
            metrics = {"loss": loss, "error": error, "accuracy": 1.0 - error}
            metrics |= {"balanced_error": balanced_error, "f1": f1_here}
            measured.append(metrics | ({"auroc": areas[place]} if areas else {}))
        return measured


def check_loss(loss: float, error: float) -> None:
    """Raises RuntimeError when a cross-entropy in nats and an error contradict each other: the true class of an example
    that is misclassified has probability at most 1/2, so the loss is at least error x ln 2."""
    if loss < error * log(2) - 1e-5 * (1 + loss):
        raise RuntimeError(f"metric bug: loss {loss} is below error {error} x ln 2")


class Tokens:
    """Cross-entropy of the next token at each step that counts, of which a batch has B; targets are token ids (B,)."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def losses(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """In nats."""
        return cross_entropies(outputs, targets, label_smoothing)

    def meter(self, width: int) -> Meter:
        """Loss, share of tokens that are not the most probable one, and perplexity."""
        return _TokenMeter(width)


class _TokenMeter:
    def __init__(self, width: int) -> None:
        self._width, self._steps = width, 0
        self._total: Tensor | None = None

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        if self._total is None:
            self._total = torch.zeros(2, self._width, dtype=torch.float64, device=outputs.device)
        self._total[0] += cross_entropies(outputs, targets).sum(1)
        self._total[1] += (outputs.argmax(dim=2) != targets).sum(1)
        self._steps += len(targets)

    def measured(self) -> list[Measured]:
        """The perplexity of a loss above LARGEST_LOSS is infinite. Raises RuntimeError as `check_loss`."""
        assert self._total is not None
        measured = []
        for loss, error in (self._total / self._steps).T.tolist():
            check_loss(loss, error)
            perplexity = exp(loss) if loss <= LARGEST_LOSS else inf
            measured.append({"loss": loss, "error": error, "perplexity": perplexity})
        return measured


class Labels:
    """Binary cross-entropy of several labels at once; targets are (B, labels), 0 or 1."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def losses(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """In nats, the mean over the labels. Smoothing draws the targets towards 1/2."""
        wanted = targets + label_smoothing * (0.5 - targets)
        each = F.binary_cross_entropy_with_logits(outputs, wanted.expand(len(outputs), -1, -1), reduction="none")
        return each.mean(2)

    def meter(self, width: int) -> Meter:
        """Loss, areas under the curve and F1 of the labels."""
        return _LabelMeter()


class _LabelMeter:
    def __init__(self) -> None:
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        self._outputs.append(outputs)
        self._targets.append(targets)

    def measured(self) -> list[Measured]:
        outputs, targets = torch.cat(self._outputs, 1), torch.cat(self._targets)
        each = F.binary_cross_entropy_with_logits(outputs, targets.expand(len(outputs), -1, -1), reduction="none")
        losses = each.double().mean((1, 2)).tolist()
        actual = targets > 0.5
        known = (actual.any(0) & ~actual.all(0)).nonzero().flatten().tolist()
        answers = outputs > 0
        hits = (answers & actual).sum(1).double()
        f1 = 2 * hits / (answers.sum(1) + actual.sum(0)).clamp_min(1)
        areas = [_areas(outputs[..., label], actual[:, label].long()) for label in known]
        skipped = float(targets.shape[1] - len(known))
        return [
            {
                "auroc": sum(area[place] for area in areas) / len(known) if known else 0.5,
                "f1": float(f1[place, known].mean()) if known else 0.0,
                "loss": loss,
                "labels_skipped": skipped,
            }
            for place, loss in enumerate(losses)
        ]


class Numbers:
    """Squared error of standardised targets, (B, numbers); `scale` is what a unit of them is in the data's own unit."""

    def __init__(self, task: Task, scale: Tensor) -> None:
        self._task, self._scale = task, scale

    def losses(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """The mean squared error over the numbers; smoothing has no meaning here and changes nothing."""
        return (outputs - targets).square().mean(2)

    def meter(self, width: int) -> Meter:
        """Loss, mean absolute error and coefficient of determination."""
        return _NumberMeter(self._scale)


class _NumberMeter:
    def __init__(self, scale: Tensor) -> None:
        self._scale = scale.double()
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        self._outputs.append(outputs.double())
        self._targets.append(targets.double())

    def measured(self) -> list[Measured]:
        outputs, targets = torch.cat(self._outputs, 1), torch.cat(self._targets)
        errors = outputs - targets
        losses = errors.square().mean((1, 2)).tolist()
        absolute = (errors.abs().mean(1) * self._scale).mean(1).tolist()
        spread = (targets - targets.mean(0)).square().sum(0)
        r2 = (1 - errors.square().sum(1) / spread).mean(1).tolist()
        return [{"loss": a, "mae": b, "r2": c} for a, b, c in zip(losses, absolute, r2, strict=True)]


def _areas(scores: Tensor, targets: Tensor) -> list[float]:
    """Areas under the curve of scores (P, N) for targets (N,), 0 and 1: how often a 1 is above a 0, ties half.

    Raises ValueError when the targets have one value only.
    """
    positive = targets == 1
    if positive.all() or not positive.any():
        raise ValueError("an area under the curve needs examples of both values")
    high, low = scores[:, positive].contiguous(), scores[:, ~positive].sort(dim=1).values.contiguous()
    below = torch.searchsorted(low, high).double().sum(1) + torch.searchsorted(low, high, right=True).double().sum(1)
    return (below / (2 * high.shape[1] * low.shape[1])).tolist()


Make: TypeAlias = Callable[[Task, Tensor | None, Tensor], Criterion]

CRITERIA: Mapping[Kind, Make] = {
    "classes": lambda task, weights, scale: Classes(task, weights),
    "labels": lambda task, weights, scale: Labels(task),
    "numbers": lambda task, weights, scale: Numbers(task, scale),
    "tokens": lambda task, weights, scale: Tokens(task),
    "boxes": lambda task, weights, scale: Boxes(task, scale.device),
}
"""Criteria by kind of task: from the task, the weights of its classes (or None), and the scale of its numbers."""
