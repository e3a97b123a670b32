"""Differentiable architecture search (DARTS: Liu, Simonyan and Yang, ICLR 2019).

    each edge adds its operations, weighted by the softmax of its alphas; for each step
    1. alphas step down the validation loss, at the weights as they are (first order) or through one step of training
       (second order, `hypergradient.py`)
    2. weights step down the training loss

Validation here is the other half of the training part. Alphas begin as 0.001 times standard normals, and go through
Adam. With `eigenvalue_every` the dominant eigenvalue of the validation loss's Hessian over the alphas is measured
(Zela et al., "Understanding and Robustifying DARTS", ICLR 2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from evonas_cli.core.types import Json
from evonas_cli.training.batches.batches import Batch
from evonas_cli.training.supernet.adam import Adam
from evonas_cli.training.supernet.hypergradient import curvature, unrolled
from evonas_cli.training.supernet.rule import Step, entropy
from evonas_cli.training.supernet.weights import Weights

BETAS = (0.5, 0.999)
SPREAD = 1e-3


class Darts:
    """Alphas, one a operation of each edge, and their optimiser.

    Settings: `order` (first or second), `xi` (null: the weights' learning rate), `alpha_learning_rate`,
    `alpha_weight_decay`, `eigenvalue_every` (epochs; null: never).
    """

    halves = True

    def __init__(self, weights: Weights, settings: Mapping[str, Any], seed: int, rounds: int) -> None:
        self._weights, self._settings = weights, settings
        generator, device = torch.Generator().manual_seed(seed), weights.parameters[0].device
        edges = weights.relaxed.edges
        self.alphas = [
            (SPREAD * torch.randn(len(edge.operations), generator=generator)).to(device).requires_grad_()
            for edge in edges
        ]
        self.optimizer = Adam(self.alphas, settings["alpha_learning_rate"], BETAS, settings["alpha_weight_decay"])
        self.passes = 2 if settings["order"] == "first" else 5
        self._last: Batch | None = None

    def step(self, train: Batch, valid: Batch | None, step: Step) -> Tensor:
        """Alphas by the other half, then weights."""
        assert valid is not None
        self._last = valid
        self.optimizer.step(self._hypergradient(train, valid, step.rate))
        loss = self._loss(train)
        self._weights.update(self._weights.gradients(loss), step.rate)
        return loss.detach()

    def _hypergradient(self, train: Batch, valid: Batch, rate: float) -> Sequence[Tensor]:
        if self._settings["order"] == "first":
            return torch.autograd.grad(self._loss(valid), self.alphas)
        weights, xi = self._weights, self._settings["xi"]
        return unrolled(
            partial(self._loss, train),
            partial(self._loss, valid),
            weights.parameters,
            self.alphas,
            rate if xi is None else xi,
            weights.momenta(),
            weights.settings.weight_decay,
        )

    def _loss(self, batch: Batch) -> Tensor:
        x, y = batch
        shares = [alpha.softmax(0) for alpha in self.alphas]
        return self._weights.loss(self._weights.network.mixture(x, shares), y)

    def tensors(self) -> Sequence[Tensor]:
        """Alphas, their moments, the number of their steps."""
        return [*[alpha.detach() for alpha in self.alphas], *self.optimizer.tensors()]

    def told(self, epochs: int) -> dict[str, Json]:
        """The shares of operations, their mean entropy in nats, and when it is due the dominant eigenvalue."""
        shares = [alpha.detach().softmax(0) for alpha in self.alphas]
        found: dict[str, Json] = {"strengths": [share.tolist() for share in shares], "entropy": entropy(shares)}
        every, batch = self._settings["eigenvalue_every"], self._last
        if every is not None and epochs % every == 0 and batch is not None:
            hessian = curvature(lambda: torch.autograd.grad(self._loss(batch), self.alphas), self.alphas)
            found["eigenvalue"] = float(torch.linalg.eigvalsh(hessian.double().cpu())[-1])
        return found
