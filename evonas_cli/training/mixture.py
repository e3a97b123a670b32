"""Weights of a mixture of trained networks: proximal gradient descent on AdaNet's objective.

F(w) = mean_i CE(sum_j w_j h_j(x_i), y_i) + sum_j p_j |w_j| (Cortes et al., ICML 2017, eq. 4) is convex in w. A step is
that of ISTA with backtracking (Beck and Teboulle, SIAM J. Imaging Sciences 2009), so F never rises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

SMALLEST_STEP = 1e-12


@dataclass(frozen=True, slots=True)
class Mixture:
    """Mixture weights, one for each network, and the value of the objective there."""

    weights: tuple[float, ...]
    objective: float


class Objective:
    """F for `logits` (networks, examples, classes), float64, `targets` (examples,), int64, `penalties` (networks,)."""

    def __init__(self, logits: Tensor, targets: Tensor, penalties: Tensor) -> None:
        self._logits, self._targets, self.penalties = logits, targets, penalties
        self._truth = F.one_hot(targets, logits.shape[2]).to(logits.dtype)

    def loss(self, weights: Tensor) -> Tensor:
        """The mean cross-entropy in nats of the weighted sum."""
        return F.cross_entropy(torch.einsum("j,jnk->nk", weights, self._logits), self._targets)

    def gradient(self, weights: Tensor) -> Tensor:
        """That of `loss`: the mean over the examples of (softmax - truth) h_j."""
        mixed = torch.einsum("j,jnk->nk", weights, self._logits)
        return torch.einsum("jnk,nk->j", self._logits, mixed.softmax(1) - self._truth) / len(mixed)

    def value(self, weights: Tensor) -> Tensor:
        """F."""
        return self.loss(weights) + (self.penalties * weights.abs()).sum()


def fit(logits: Tensor, targets: Tensor, penalties: Sequence[float], steps: int) -> Mixture:
    """The mixture after so many steps from 1/N; fewer where no step lowers F any more.

    Shapes as for `Objective`; raises ValueError for logits that are not finite.
    """
    if not bool(torch.isfinite(logits).all()):
        raise ValueError("the outputs of a member are not finite")
    objective = Objective(logits, targets, torch.tensor(penalties, dtype=logits.dtype, device=logits.device))
    weights = torch.full((len(logits),), 1 / len(logits), dtype=logits.dtype, device=logits.device)
    size = 1.0
    for _ in range(steps):
        loss, gradient = objective.loss(weights), objective.gradient(weights)
        while True:
            found = shrunk(weights - size * gradient, size * objective.penalties)
            change = found - weights
            if objective.loss(found) <= loss + gradient @ change + change @ change / (2 * size):
                break
            size /= 2
            if size < SMALLEST_STEP:
                found = weights
                break
        if not bool(objective.value(found) < objective.value(weights)):
            break
        weights, size = found, 2 * size
    return Mixture(tuple(weights.tolist()), float(objective.value(weights)))


def shrunk(weights: Tensor, by: Tensor) -> Tensor:
    """Soft thresholding: each weight is moved towards 0 by its amount, at most to 0."""
    return weights.sign() * (weights.abs() - by).clamp_min(0)
