"""What the policy-gradient strategies share: batches of children, the baseline, growing depth, steps up an objective.

The baseline b is the moving average of earlier rewards: the advantages of a batch are R - b with the b before it, then
b <- d b + (1 - d) R for one child after the other. Before the first batch b is that batch's mean (a batch of one has
advantage 0). Advantages are never normalised. A failed candidate gets `failure_reward` like any reward; where that is
null it has no part in gradient, baseline and mean. The gradient is of the mean over the children of an objective, plus
`entropy_weight` times the entropies of the decisions of the walk, given the decisions before; it goes through Adam.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import inf, isfinite
from random import Random
from statistics import fmean
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.genomes.capabilities import Deepening, Walkable
from evonas_cli.genomes.walk import Program
from evonas_cli.strategies.controllers.values import Batch, Policy, Told, Trained
from evonas_cli.walks.rewards import Reward

if TYPE_CHECKING:
    from torch import Tensor

    from evonas_cli.strategies.controllers.lstm import Lstm

log = logging.getLogger(__name__)

RECENT, DIVERSE = 50, 5
"""A policy has collapsed when fewer than DIVERSE of the last RECENT architectures are different ones."""

Gain: TypeAlias = "Callable[[Tensor, Tensor, Tensor], Tensor]"
"""From log-probabilities now, those at sampling, and advantages, the objective of each child; all of shape (n,)."""


class WalkableSpace(Space[G], Walkable[G], Protocol[G]):
    """What these strategies use of a space: `kinds` and `walk`, and `walk_to` where depth grows."""


@dataclass(frozen=True, kw_only=True)
class PolicyGradient(Generic[G]):
    """Settings and steps that do not depend on the objective."""

    space: WalkableSpace[G]
    children: int
    learning_rate: float
    hidden: int
    layers: int
    baseline_decay: float
    reward: str
    reward_power: float
    reward_constant: float
    failure_reward: float | None
    entropy_weight: float
    clip_norm: float | None
    initial_depth: int | None
    depth_growth: int
    depth_every: int

    def check_settings(self) -> None:
        """Raises UsageError for settings out of range or a space that they do not fit."""
        for key, least in (("children", 1), ("hidden", 1), ("layers", 1), ("depth_growth", 0), ("depth_every", 1)):
            value = getattr(self, key)
            _require(type(value) is int and value >= least, key, f"a whole number of at least {least}", value)
        rate, decay, weight, failure = self.learning_rate, self.baseline_decay, self.entropy_weight, self.failure_reward
        _require(_number(rate) and rate > 0, "learning_rate", "a number above 0", rate)
        _require(_number(decay) and 0 <= decay < 1, "baseline_decay", "a number in [0, 1)", decay)
        _require(_number(weight) and weight >= 0, "entropy_weight", "a number of at least 0", weight)
        _require(failure is None or _number(failure), "failure_reward", "a number, or null", failure)
        clip = self.clip_norm
        _require(clip is None or (_number(clip) and clip > 0), "clip_norm", "a number above 0, or null", clip)
        self.rewards.check_settings()
        if isinstance(self.space, Walkable):  # if it is not, the check of `needs` says so
            self._check_space()

    def _check_space(self) -> None:
        depth = self.initial_depth
        if depth is not None:
            if not isinstance(self.space, Deepening):
                raise UsageError("strategy.initial_depth needs a space of growing depth; set it to null for this one")
            most = self.space.depth
            _require(type(depth) is int and 1 <= depth <= most, "initial_depth", f"1 to {most} (the space's)", depth)
        try:
            next(self.space.walk())
        except StopIteration:
            raise UsageError("strategy: the space leaves nothing to decide; give it more than one option") from None
        single = [kind for kind, options in self.space.kinds.items() if len(options) == 1]
        if single:
            log.warning("the space has decisions with one option, which teach nothing: %s", ", ".join(single))

    @cached_property
    def rewards(self) -> Reward:
        """The reward function."""
        return Reward(self.reward, self.reward_power, self.reward_constant)

    @cached_property
    def _network(self) -> Lstm:
        from evonas_cli.strategies.controllers.lstm import Lstm

        return Lstm(self.space.kinds, self.hidden, self.layers)

    def init(self, rng: Random) -> Policy:
        """Fresh weights."""
        from evonas_cli.strategies.controllers import adam

        return Policy(adam.begin(self._network.fresh(rng)))

    def ask(self, state: Policy, rng: Random) -> tuple[list[Proposal[G]], Policy]:
        """Children drawn from the policy as it is now."""
        from evonas_cli.strategies.controllers import adam, sampling

        depth = self._depth(state.asked)
        with sampling.one_thread():
            network, weights = self._network, adam.to_tensor(state.trained.weights)
            genomes, traces = sampling.sample(network, weights, self._program(depth), self.children, rng)
            scores = sampling.score(network, weights, self._program(depth), traces)
        batch = Batch(traces, tuple(scores.log_probabilities.tolist()), depth)
        proposals = [Proposal(genome, operator="policy") for genome in genomes]
        return proposals, replace(state, asked=state.asked + self.children, pending=(*state.pending, batch))

    def tell(self, state: Policy, told: Sequence[Evaluation[G]], gain: Gain, epochs: int) -> Policy:
        """Steps up the mean gain of the oldest pending batch, which is what was told, `epochs` times.

        Raises UsageError for a loss that has no reward, and when the gradient is no longer finite.
        """
        batch, *pending = state.pending
        rewards = [self._reward(evaluation) for evaluation in told]
        earned = [reward for reward in rewards if reward is not None]
        after = replace(state, pending=tuple(pending), recent=(*state.recent, *batch.traces)[-RECENT:])
        if not earned:
            return replace(after, told=Told(None, depth=batch.depth))
        baseline = fmean(earned) if state.baseline is None else state.baseline
        advantages = [None if reward is None else reward - baseline for reward in rewards]
        trained, figures = self._climb(state.trained, batch, advantages, gain, epochs)
        for reward in earned:
            baseline = self.baseline_decay * baseline + (1 - self.baseline_decay) * reward
        return replace(after, trained=trained, baseline=baseline, told=replace(figures, mean_reward=fmean(earned)))

    def figures(self, state: Policy) -> Mapping[str, Json]:
        """Of the last told step, and how many of the last 50 architectures are different ones."""
        if state.told is None:
            return {}
        told, unique, recent = state.told, len(set(state.recent)), len(state.recent)
        return {
            "mean_reward": told.mean_reward,
            "baseline": state.baseline,
            "entropy_per_token": told.entropy_per_token,
            "gradient_norm": told.gradient_norm,
            "first_ratio": told.first_ratio,
            "depth": told.depth,
            "recent": recent,
            "recent_unique": unique,
            "collapsed": recent == RECENT and unique < DIVERSE,
        }

    def environment(self) -> dict[str, Json]:
        """The CPU's architecture with the instructions that torch uses, and torch's version."""
        import torch

        instructions = torch.backends.cpu.get_cpu_capability()
        return {"strategy_cpu": f"{platform.machine()} {instructions}", "strategy_torch": torch.__version__}

    def _reward(self, evaluation: Evaluation[G]) -> float | None:
        return self.failure_reward if evaluation.losses is None else self.rewards.of(evaluation.losses[0])

    def _depth(self, asked: int) -> int | None:
        if self.initial_depth is None or not isinstance(self.space, Deepening):
            return None
        return min(self.space.depth, self.initial_depth + self.depth_growth * (asked // self.depth_every))

    def _program(self, depth: int | None) -> Callable[[], Program[G]]:
        if depth is None or not isinstance(self.space, Deepening):
            return self.space.walk
        return partial(self.space.walk_to, depth)

    def _climb(
        self, trained: Trained, batch: Batch, advantages: Sequence[float | None], gain: Gain, epochs: int
    ) -> tuple[Trained, Told]:
        import torch

        from evonas_cli.strategies.controllers import adam, sampling

        figures: Told | None = None
        with sampling.one_thread():
            sampled = torch.tensor(batch.log_probabilities, dtype=torch.float64)
            advantage = torch.tensor([given or 0.0 for given in advantages], dtype=torch.float64)
            share = torch.tensor([float(given is not None) for given in advantages], dtype=torch.float64)
            for _ in range(epochs):
                weights = adam.to_tensor(trained.weights).requires_grad_()
                scores = sampling.score(self._network, weights, self._program(batch.depth), batch.traces)
                gains = gain(scores.log_probabilities, sampled, advantage) + self.entropy_weight * scores.entropies
                (gradient,) = torch.autograd.grad(-(gains * share).sum() / share.sum(), weights)
                norm = float(gradient.norm())
                if not isfinite(norm):
                    raise UsageError("strategy: the policy's gradient is not finite; lower strategy.learning_rate")
                if figures is None:
                    ratios = (scores.log_probabilities.detach() - sampled).exp().tolist()
                    entropy = float(scores.entropies.detach().sum()) / max(1, scores.n_tokens)
                    first_ratio = max(ratios, key=lambda ratio: abs(ratio - 1))
                    figures = Told(None, entropy, norm, first_ratio, batch.depth)
                if self.clip_norm is not None and norm > self.clip_norm:
                    gradient = gradient * (self.clip_norm / norm)
                trained = adam.descend(trained, gradient, self.learning_rate)
        assert figures is not None
        return trained, figures


def _number(value: object) -> bool:
    return type(value) in (int, float) and -inf < value < inf  # type: ignore[operator]


def _require(holds: bool, key: str, rule: str, value: object) -> None:
    if not holds:
        raise UsageError(f"strategy.{key} must be {rule}; it is {value!r}")
