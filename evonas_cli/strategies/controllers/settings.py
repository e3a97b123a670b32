"""What the policy-gradient strategies are beside their objective: a base class with settings and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from random import Random
from typing import Generic, Literal

from evonas_cli.core.demands import Demands
from evonas_cli.core.types import G, Json, Objective, Proposal
from evonas_cli.genomes.capabilities import Walkable
from evonas_cli.strategies.controllers.policy_gradient import PolicyGradient, WalkableSpace
from evonas_cli.strategies.controllers.values import Policy


@dataclass(frozen=True, kw_only=True)
class PolicySettings(Generic[G]):
    """Settings of the controller, its rewards and its steps: `class Reinforce(PolicySettings[G])`.

    `children` are drawn a step; `layers` and `hidden` are the LSTM's; `reward` is error, score or reciprocal_square;
    `depth_growth` layers are added after each `depth_every` children, from `initial_depth` (None: full depth at once).
    A strategy gives the default of `learning_rate`. Raises UsageError for settings out of range.
    """

    space: WalkableSpace[G]
    children: int = 8
    learning_rate: float
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

    def population(self, state: object) -> tuple[int, ...]:
        """Empty: what was learned is in the weights."""
        return ()

    def figures(self, state: Policy) -> Mapping[str, Json]:
        """Reward, baseline, entropy, gradient and diversity."""
        return self._learner.figures(state)
