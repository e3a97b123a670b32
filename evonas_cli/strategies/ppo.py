"""Proximal policy optimisation with a recurrent controller (Schulman et al., 2017; NASNet: Zoph et al., CVPR 2018).

    a controller draws a batch of m children and keeps their log-probabilities; each is trained; its reward is R; then
    `epochs` steps of Adam up (1/m) sum over children of min(rho A, clip(rho, 1 - c, 1 + c) A),
    A = R - b computed once, rho = P(child) now / P(child) when it was drawn, so that rho = 1 before the first step.

With c infinite and one epoch this is REINFORCE. rho is that of a whole architecture, not of a token. The network is in
controllers/lstm.py, rewards, baseline and the rest in controllers/policy_gradient.py. Beside NASNet: one process, whole
batches in every epoch, no value network (the baseline is the moving average of rewards, as in NASNet).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Generic, Literal

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, G, Json, Objective, Proposal
from evonas_cli.genomes.capabilities import Walkable
from evonas_cli.strategies.controllers.policy_gradient import PolicyGradient, WalkableSpace
from evonas_cli.strategies.controllers.values import Policy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Ppo(Generic[G]):
    """An LSTM writes architectures and learns from their rewards by PPO (Zoph et al., 2018).

    `children` are drawn a step, which takes `epochs` steps up the objective clipped at 1 - `clip` and 1 + `clip` (null:
    not clipped). `layers` and `hidden` are the LSTM's; `reward` is error, score or reciprocal_square; `depth_growth`
    layers are added after each `depth_every` children, from `initial_depth` (null: full depth at once).
    """

    space: WalkableSpace[G]
    children: int = 8
    epochs: int = 2
    clip: float | None = 0.2
    learning_rate: float = 3e-3
    hidden: int = 35
    layers: int = 2
    baseline_decay: float = 0.95
    reward: Literal["error", "score", "reciprocal_square"] = "error"
    reward_power: float = 1.0
    reward_constant: float = 80.0
    failure_reward: float | None = 0.0
    entropy_weight: float = 0.0
    clip_norm: float | None = None
    initial_depth: int | None = None
    depth_growth: int = 2
    depth_every: int = 1600

    def __post_init__(self) -> None:
        self._learner.check_settings()
        if type(self.epochs) is not int or self.epochs < 1:
            raise UsageError(f"strategy.epochs must be a whole number of at least 1; it is {self.epochs!r}")
        if self.clip is not None and (type(self.clip) not in (int, float) or not self.clip > 0):
            raise UsageError(f"strategy.clip must be a number above 0, or null; it is {self.clip!r}")

    @cached_property
    def _learner(self) -> PolicyGradient[G]:
        shared = [setting.name for setting in fields(PolicyGradient)]
        return PolicyGradient(**{name: getattr(self, name) for name in shared})

    @property
    def demands(self) -> Demands:
        """A walk."""
        return Demands(space=(Walkable,))

    @property
    def least_evaluations(self) -> int:
        """One batch."""
        return self.children

    def check_objectives(self, objectives: Sequence[Objective]) -> None:
        """Raises UsageError when the reward is not made for the first objective."""
        self._learner.rewards.check(objectives)

    def environment(self) -> dict[str, Json]:
        """CPU and torch, on which the policy's last bits depend."""
        return self._learner.environment()

    def init(self, rng: Random) -> Policy:
        """Fresh weights."""
        return self._learner.init(rng)

    def ask(self, state: Policy, rng: Random) -> tuple[list[Proposal[G]], Policy]:
        """A batch drawn from the policy."""
        return self._learner.ask(state, rng)

    def tell(self, state: Policy, told: Sequence[Evaluation[G]], rng: Random) -> Policy:
        """`epochs` steps up the clipped objective. Raises UsageError for a loss that has no reward."""
        return self._learner.tell(state, told, self._gain, self.epochs)

    def population(self, state: Policy) -> tuple[int, ...]:
        """Empty: what was learned is in the weights."""
        return ()

    def figures(self, state: Policy) -> Mapping[str, Json]:
        """Reward, baseline, entropy, gradient and diversity."""
        return self._learner.figures(state)

    def _gain(self, now: Tensor, sampled: Tensor, advantages: Tensor) -> Tensor:
        """The clipped objective of each child, from log-probabilities now and at sampling and advantages, all (n,)."""
        ratio = (now - sampled).exp()
        if self.clip is None:
            return ratio * advantages
        return (ratio * advantages).minimum(ratio.clamp(1 - self.clip, 1 + self.clip) * advantages)
