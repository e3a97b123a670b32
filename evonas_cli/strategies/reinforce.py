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

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, ClassVar

from evonas_cli.core.types import Evaluation, G
from evonas_cli.strategies.controllers.settings import PolicySettings
from evonas_cli.strategies.controllers.values import Policy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Reinforce(PolicySettings[G]):
    """An LSTM writes architectures and learns from their rewards by REINFORCE (Zoph and Le, 2017).

    `children` are drawn a step; `layers` and `hidden` are the LSTM's; `reward` is error, score or reciprocal_square;
    `depth_growth` layers are added after each `depth_every` children, from `initial_depth` (null: full depth at once).
    """

    original_cost: ClassVar[str] = "800 GPUs for 28 days on CIFAR-10 (Zoph and Le, 2017)"

    learning_rate: float = 6e-3

    def tell(self, state: Policy, told: Sequence[Evaluation[G]], rng: Random) -> Policy:
        """One step up the policy gradient. Raises UsageError for a loss that has no reward."""
        return self._learner.tell(state, told, gain, epochs=1)


def gain(now: Tensor, sampled: Tensor, advantages: Tensor) -> Tensor:
    """log P(child) (R - b): its gradient is REINFORCE's estimate."""
    return now * advantages
