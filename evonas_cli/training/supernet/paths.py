"""Single-path training of shared weights (Guo et al., ECCV 2020), and strict fairness (FairNAS: Chu et al., ICCV 2021).

A step trains the network of one path. With strict fairness a step has as many paths as an edge has operations, each
operation in one of them; their gradients are summed and the weights updated once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from evonas_cli.core.types import Json
from evonas_cli.training.batches.batches import Batch
from evonas_cli.training.supernet.rule import Step
from evonas_cli.training.supernet.weights import Weights


class Paths:
    """Has no state of its own: the strategy says which paths are trained."""

    halves, passes = False, 0

    def __init__(self, weights: Weights, settings: Mapping[str, Json], seed: int, rounds: int) -> None:
        self._weights = weights

    def step(self, train: Batch, valid: Batch | None, step: Step) -> Tensor:
        """Sums the gradients of the step's paths; the mean of their losses."""
        x, y = train
        total: list[Tensor | None] = [None] * len(self._weights.parameters)
        losses = []
        for path in step.paths:
            loss = self._weights.loss(self._weights.network.path(x, path), y)
            total = [_sum(a, b) for a, b in zip(total, self._weights.gradients(loss), strict=True)]
            losses.append(loss.detach())
        self._weights.update(total, step.rate)
        return torch.stack(losses).mean()

    def tensors(self) -> Sequence[Tensor]:
        """None."""
        return ()

    def told(self, epochs: int) -> dict[str, Json]:
        """Nothing."""
        return {}


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return b if a is None else a if b is None else a + b
