"""Prediction with expert advice: exponentiated gradient with wipe-out (XNAS: Nayman et al., NeurIPS 2019, algorithm 1).

    v_i <- v_i exp(eta r_i), r_i being the reward of expert i, clipped to [-L, L]
    experts whose v_i is below max v exp(-2 eta L (T - t)) are wiped out: in the T - t rounds that are left they can
    not come to be the best

With eta = sqrt(2 ln N / (T L^2)) the regret against the best expert is at most L sqrt(2 T ln N).
"""

from __future__ import annotations

from math import log, sqrt

import torch
from torch import Tensor

ROUNDING = 1e-6
"""Share by which a logarithm must be below the threshold: rounding alone wipes out no expert."""


class Experts:
    """N experts over T rounds. Logarithms of v are kept, since v itself overflows."""

    def __init__(self, count: int, rounds: int, bound: float, eta: float | None, wipe_out: bool = True) -> None:
        """`bound` is L; eta None: that of the regret bound."""
        self.log_v, self.alive = torch.zeros(count, dtype=torch.float64), torch.ones(count, dtype=torch.float64)
        self.round = torch.zeros(1, dtype=torch.float64)
        self._rounds, self._bound, self._wipes = rounds, bound, wipe_out
        self.eta = sqrt(2 * log(count) / (rounds * bound**2)) if eta is None else eta

    @property
    def shares(self) -> Tensor:
        """v_i over the sum of all v, (N,) float64; 0 for an expert that was wiped out."""
        return self.log_v.masked_fill(self.alive == 0, -torch.inf).softmax(0)

    def update(self, rewards: Tensor) -> None:
        """One round, from rewards (N,)."""
        self.round += 1
        self.log_v += self.eta * rewards.double().clamp(-self._bound, self._bound)
        if self._wipes:
            left = max(0.0, self._rounds - float(self.round))
            leader = self.log_v.masked_fill(self.alive == 0, -torch.inf).max()
            threshold = leader - 2 * self.eta * self._bound * left
            self.alive.mul_(self.log_v >= threshold - ROUNDING * (1 + leader.abs()))
        self.alive[self.log_v.masked_fill(self.alive == 0, -torch.inf).argmax()] = 1.0
