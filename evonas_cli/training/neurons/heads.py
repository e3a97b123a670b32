"""What the outputs of neurons mean: probabilities of two classes or of several, or numbers; losses and their gradients.

Outputs are (members x outputs, width), as a program gives them; all else is computed number by number, so that members
do not change each other's bits.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from evonas_cli.network.task import Task
from evonas_cli.nn.neurons.functions import sigmoid


class Head(Protocol):
    """Losses of examples, and their gradients. Targets stand for the columns of the outputs."""

    n_outputs: int

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(members, width).

        >>> Binary().losses(torch.tensor([[0.0]]), torch.tensor([1.0]))
        tensor([[0.6931]])
        """

    def slopes(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The derivatives of the losses by the outputs, (members x outputs, width).

        >>> Binary().slopes(torch.tensor([[0.0]]), torch.tensor([1.0]))
        tensor([[-0.5000]])
        """

    def answers(self, outputs: Tensor) -> Tensor:
        """What the outputs say, (members, outputs, width): probabilities of class 1 or of each class, or numbers.

        >>> Binary().answers(torch.tensor([[0.0]]))
        tensor([[[0.5000]]])
        """


class Binary:
    """Two classes: the output's sigmoid is the probability of class 1. Cross-entropy in nats; targets 0.0 or 1.0."""

    n_outputs = 1

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """max(o, 0) - o t + log(1 + exp(-|o|)), which does not overflow."""
        return outputs.clamp_min(0.0) - outputs * targets + outputs.abs().neg_().exp_().log1p_()

    def slopes(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """sigmoid(o) - t."""
        return sigmoid(outputs, torch.empty_like(outputs)).sub_(targets)

    def wrong(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Which examples are on the wrong side of 1/2, (members, width) bool; 1/2 itself is class 0."""
        return (outputs > 0) != (targets > 0.5)

    def distances(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """|sigmoid(o) - t|, (members, width)."""
        return self.slopes(outputs, targets).abs_()

    def answers(self, outputs: Tensor) -> Tensor:
        """sigmoid(o)."""
        return sigmoid(outputs, torch.empty_like(outputs))[:, None]


class Several:
    """More classes: the outputs' softmax are their probabilities. Cross-entropy in nats; targets are classes, int64."""

    def __init__(self, n_outputs: int) -> None:
        self.n_outputs = n_outputs

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """log(sum of exp(o_k)) - o_t, all less the largest output."""
        shifted = self._shifted(outputs)
        return self._total(shifted.exp()).log_() - self._chosen(shifted, targets)

    def slopes(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """softmax(o) - 1 at the target."""
        powers = self.answers(outputs)
        wanted = targets == torch.arange(self.n_outputs, device=targets.device)[:, None]
        return powers.sub_(wanted.to(powers.dtype)).flatten(0, 1)

    def wrong(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Of which examples another class has the largest output, (members, width) bool."""
        seen = outputs.view(-1, self.n_outputs, outputs.shape[1])
        return seen.argmax(1) != targets

    def answers(self, outputs: Tensor) -> Tensor:
        """softmax(o)."""
        powers = self._shifted(outputs).exp_()
        return powers.div_(self._total(powers)[:, None])

    def _shifted(self, outputs: Tensor) -> Tensor:
        seen = outputs.view(-1, self.n_outputs, outputs.shape[1])
        return seen - seen.amax(1, keepdim=True)

    def _total(self, powers: Tensor) -> Tensor:
        """The sum over the classes, one after the other."""
        total = powers[:, 0].clone()
        for own in powers.unbind(1)[1:]:
            total.add_(own)
        return total

    def _chosen(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.gather(1, targets.expand(len(outputs), 1, -1))[:, 0]


class Numbers:
    """Numbers: the outputs themselves. Mean squared error over the numbers; targets are (outputs, width)."""

    def __init__(self, n_outputs: int) -> None:
        self.n_outputs = n_outputs

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean over the numbers of (o - t)^2."""
        errors = outputs.view(-1, *targets.shape) - targets
        squares = errors.mul_(errors).unbind(1)
        total = squares[0].clone()
        for own in squares[1:]:
            total.add_(own)
        return total.div_(self.n_outputs)

    def slopes(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """2 (o - t) over the number of numbers."""
        errors = outputs.view(-1, *targets.shape) - targets
        return errors.mul_(2.0 / self.n_outputs).flatten(0, 1)

    def answers(self, outputs: Tensor) -> Tensor:
        """o."""
        return outputs.view(-1, self.n_outputs, outputs.shape[1])


def head_of(task: Task) -> Binary | Several | Numbers:
    """The head for a task of classes or numbers."""
    if task.kind == "numbers":
        return Numbers(task.outputs)
    return Binary() if task.outputs == 2 else Several(task.outputs)
