"""XNAS: operations as experts, wiped out when they can not come to be the best (Nayman et al., NeurIPS 2019).

    for each step: weights step down the training loss of the mixture p = sum v_i f_i / sum v_i of each edge; then
    expert i of an edge has the reward -grad_p L_val . f_i, summed over the cells (`experts.py` has the rest)

Validation is the other half of the training part. Beside the paper: one eta for all edges, and no separate rates by the
scale of the gradients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from evonas_cli.core.types import Json
from evonas_cli.network.relaxed import Active
from evonas_cli.training.batches.batches import Batch
from evonas_cli.training.supernet.experts import Experts
from evonas_cli.training.supernet.rule import Step, entropy
from evonas_cli.training.supernet.weights import Weights


class Xnas:
    """The experts of each edge. Settings: `bound` (L), `eta` (null: that of the regret bound), `wipe_out`."""

    halves, passes = True, 2

    def __init__(self, weights: Weights, settings: Mapping[str, Any], seed: int, rounds: int) -> None:
        self._weights = weights
        self.experts = [
            Experts(len(edge.operations), rounds, settings["bound"], settings["eta"], settings["wipe_out"])
            for edge in weights.relaxed.edges
        ]

    def step(self, train: Batch, valid: Batch | None, step: Step) -> Tensor:
        """Weights, then the experts by the other half."""
        assert valid is not None
        loss = self._loss(train, self._shares())
        self._weights.update(self._weights.gradients(loss), step.rate)
        shares = [share.requires_grad_() for share in self._shares()]
        gradients = torch.autograd.grad(self._loss(valid, shares), shares, allow_unused=True)
        for expert, gradient in zip(self.experts, gradients, strict=True):
            if gradient is not None:
                expert.update(-gradient.cpu())
        return loss.detach()

    def _shares(self) -> list[Tensor]:
        device = self._weights.parameters[0].device
        return [expert.shares.float().to(device) for expert in self.experts]

    def _loss(self, batch: Batch, shares: Sequence[Tensor]) -> Tensor:
        x, y = batch
        return self._weights.loss(self._weights.network.mixture(x, shares, self._active()), y)

    def _active(self) -> Active:
        """What is left. An operation that gives nothing counts as well: as an expert it is worth 0."""
        return tuple([tuple([bool(alive) for alive in expert.alive]) for expert in self.experts])

    def tensors(self) -> Sequence[Tensor]:
        """Logarithms of v, who is left, and the round, edge by edge."""
        return [tensor for expert in self.experts for tensor in (expert.log_v, expert.alive, expert.round)]

    def told(self, epochs: int) -> dict[str, Json]:
        """Shares of operations, those that were wiped out with the v that they had then; the mean entropy, in nats, of
        the shares of those that are left, and how many these are on all edges."""
        shares = [expert.shares for expert in self.experts]
        return {
            "strengths": [expert.log_v.softmax(0).tolist() for expert in self.experts],
            "entropy": entropy(shares),
            "live": int(sum(float(expert.alive.sum()) for expert in self.experts)),
        }
