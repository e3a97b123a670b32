"""Proximal policy optimisation with a recurrent controller (Schulman et al., 2017; NASNet: Zoph et al., CVPR 2018).

    a controller draws a batch of m children and keeps their log-probabilities; each is trained; its reward is R; then
    `epochs` steps of Adam up (1/m) sum over children of min(rho A, clip(rho, 1 - c, 1 + c) A),
    A = R - b computed once, rho = P(child) now / P(child) when it was drawn, so that rho = 1 before the first step.

With c infinite and one epoch this is REINFORCE. rho is that of a whole architecture, not of a token. The network is in
controllers/lstm.py, rewards, baseline and the rest in controllers/policy_gradient.py. Beside NASNet: one process, whole
batches in every epoch, no value network (the baseline is the moving average of rewards, as in NASNet).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, G
from evonas_cli.strategies.controllers.settings import PolicySettings
from evonas_cli.strategies.controllers.values import Policy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Ppo(PolicySettings[G]):
    """An LSTM writes architectures and learns from their rewards by PPO (Zoph et al., 2018).

    `children` are drawn a step, which takes `epochs` steps up the objective clipped at 1 - `clip` and 1 + `clip` (null:
    not clipped). `layers` and `hidden` are the LSTM's; `reward` is error, score or reciprocal_square; `depth_growth`
    layers are added after each `depth_every` children, from `initial_depth` (null: full depth at once).
    """

    epochs: int = 2
    clip: float | None = 0.2
    learning_rate: float = 3e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.epochs) is not int or self.epochs < 1:
            raise UsageError(f"strategy.epochs must be a whole number of at least 1; it is {self.epochs!r}")
        if self.clip is not None and (type(self.clip) not in (int, float) or not self.clip > 0):
            raise UsageError(f"strategy.clip must be a number above 0, or null; it is {self.clip!r}")

    def tell(self, state: Policy, told: Sequence[Evaluation[G]], rng: Random) -> Policy:
        """`epochs` steps up the clipped objective. Raises UsageError for a loss that has no reward."""
        return self._learner.tell(state, told, self._gain, self.epochs)

    def _gain(self, now: Tensor, sampled: Tensor, advantages: Tensor) -> Tensor:
        """The clipped objective of each child, from log-probabilities now and at sampling and advantages, all (n,)."""
        ratio = (now - sampled).exp()
        if self.clip is None:
            return ratio * advantages
        return (ratio * advantages).minimum(ratio.clamp(1 - self.clip, 1 + self.clip) * advantages)
