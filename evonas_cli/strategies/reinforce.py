"""REINFORCE with a recurrent controller (Williams 1992; neural architecture search: Zoph and Le, ICLR 2017).

    a controller draws a batch of m children; each is trained; its reward is R; then one step of Adam up
    (1/m) sum over children, sum over tokens of grad log P(token | tokens before) (R - b),
    b being the moving average of the rewards of earlier children.

The network is in controllers/lstm.py, rewards, baseline and the rest in controllers/policy_gradient.py. Beside the
paper: the reward is that of the finished training, not the best of its last five epochs, and is not cubed unless
`reward_power` says so; one process in place of its 100 asynchronous ones; a bonus for entropy; growing depth is off by
default. Under a window above 1 a batch is told to a policy that has moved on since it was drawn, and nothing corrects
for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, ClassVar, Generic, Literal

from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Evaluation, G, Json, Objective, Proposal
from evonas_cli.genomes.capabilities import Walkable
from evonas_cli.strategies.controllers.policy_gradient import PolicyGradient, WalkableSpace
from evonas_cli.strategies.controllers.values import Policy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Reinforce(Generic[G]):
    """An LSTM writes architectures and learns from their rewards by REINFORCE (Zoph and Le, 2017).

    `children` are drawn a step; `layers` and `hidden` are the LSTM's; `reward` is error, score or reciprocal_square;
    `depth_growth` layers are added after each `depth_every` children, from `initial_depth` (null: full depth at once).
    """

    original_cost: ClassVar[str] = "800 GPUs for 28 days on CIFAR-10 (Zoph and Le, 2017)"

    space: WalkableSpace[G]
    children: int = 8
    learning_rate: float = 6e-3
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

    def tell(self, state: Policy, told: Sequence[Evaluation[G]], rng: Random) -> Policy:
        """One step up the policy gradient. Raises UsageError for a loss that has no reward."""
        return self._learner.tell(state, told, gain, epochs=1)

    def population(self, state: Policy) -> tuple[int, ...]:
        """Empty: what was learned is in the weights."""
        return ()

    def figures(self, state: Policy) -> Mapping[str, Json]:
        """Reward, baseline, entropy, gradient and diversity."""
        return self._learner.figures(state)


def gain(now: Tensor, sampled: Tensor, advantages: Tensor) -> Tensor:
    """log P(child) (R - b): its gradient is REINFORCE's estimate."""
    return now * advantages
