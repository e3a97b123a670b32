"""What strategies are whose agent learns the table of Q: a base class with settings and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Generic, Literal

from evonas_cli.core.types import G, Objective
from evonas_cli.genomes.capabilities import Walkable
from evonas_cli.walks.agent import Agent
from evonas_cli.walks.rewards import Rewards


@dataclass(frozen=True, kw_only=True)
class AgentSettings(Generic[G]):
    """Settings of an agent and of its rewards: `class QLearning(AgentSettings[G])`.

    `epsilons` lists [epsilon, models]; `history` is the number of answers in a state; `discount` is the paper's gamma;
    `initial` the value of what was never visited; `replays` follow each model told. Raises UsageError for settings out
    of range.
    """

    space: Walkable[G]
    epsilons: Sequence[Sequence[float]]
    history: int = 1
    learning_rate: float = 0.01
    discount: float = 1.0
    initial: float = 0.5
    replays: int = 100
    attempts: int = 50
    batch: int = 1
    reward: Literal["error", "score", "reciprocal_square"] = "error"
    reward_power: float = 1.0
    reward_constant: float = 80.0
    failure_reward: float | None = 0.0

    def __post_init__(self) -> None:
        self._agent.check_settings()
        self._rewards.check_settings()

    @cached_property
    def _agent(self) -> Agent[G]:
        return Agent(**{setting.name: getattr(self, setting.name) for setting in fields(Agent)})

    @cached_property
    def _rewards(self) -> Rewards:
        return Rewards(self.reward, self.reward_power, self.reward_constant, self.failure_reward)

    @property
    def least_evaluations(self) -> int:
        """The whole schedule."""
        return self._agent.scheduled

    def check_objectives(self, objectives: Sequence[Objective]) -> None:
        """Raises UsageError when the reward is not made for the first objective."""
        self._rewards.reward.check(objectives)

    def population(self, state: object) -> tuple[int, ...]:
        """Empty: what was learned is in the table."""
        return ()
