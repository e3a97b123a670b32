"""The reward of a child from its loss: powers of accuracy, and c / perplexity^2 (Zoph and Le, ICLR 2017).

    error               (1 - L)^power            L is an error in [0, 1]
    score               (-L)^power               L is the negative of a metric that is maximised
    reciprocal_square   constant / L^2           L is a perplexity, above 0

A strategy sees losses only. What a loss is called is known once, at the start of a run, which `check` makes use of;
numbers that no reward is defined for are refused when they come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from evonas_cli.core import checks
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Objective

KINDS = ("error", "score", "reciprocal_square")


@dataclass(frozen=True, slots=True)
class Reward:
    """How losses become rewards."""

    kind: str
    power: float
    constant: float

    def check_settings(self) -> None:
        """Raises UsageError for numbers out of range."""
        if self.kind not in KINDS:
            raise UsageError(f"strategy.reward must be one of {', '.join(KINDS)}; it is {self.kind!r}")
        for key, value in (("power", self.power), ("constant", self.constant)):
            if type(value) not in (int, float) or not 0 < value < inf:
                raise UsageError(f"strategy.reward_{key} must be a number above 0; it is {value!r}")

    def check(self, objectives: Sequence[Objective]) -> None:
        """Raises UsageError when the first objective cannot be meant for this reward."""
        first = objectives[0]
        fits = {
            "error": first.direction == "min" and first.name.endswith("error"),
            "score": first.direction == "max",
            "reciprocal_square": first.direction == "min" and "perplexity" in first.name,
        }
        if not fits[self.kind]:
            raise UsageError(
                f"strategy.reward={self.kind} does not fit the first objective, {first.name}: error is for metrics "
                "called ...error, score for maximised ones, reciprocal_square for perplexities; change one of the two"
            )

    def of(self, loss: float) -> float:
        """The reward of a loss. Raises UsageError for a loss that the reward is not defined for."""
        if self.kind == "error" and 0 <= loss <= 1:
            return float((1 - loss) ** self.power)
        if self.kind == "score" and (loss <= 0 or self.power == 1):
            return float((-loss) ** self.power)
        if self.kind == "reciprocal_square" and loss > 0:
            return self.constant / loss**2
        domain = {
            "error": "an error in [0, 1]",
            "score": "a maximised metric of at least 0, unless strategy.reward_power=1",
            "reciprocal_square": "a perplexity, above 0",
        }[self.kind]
        raise UsageError(
            f"strategy.reward={self.kind} needs {domain}, but the first loss is {loss:g}; change strategy.reward"
        )


@dataclass(frozen=True, slots=True)
class Rewards:
    """Rewards of at least 0, from all losses of a candidate; a failed one has the reward `failure`, or None."""

    kind: str
    power: float
    constant: float
    failure: float | None

    @property
    def reward(self) -> Reward:
        """The rule for candidates that succeed."""
        return Reward(self.kind, self.power, self.constant)

    def check_settings(self) -> None:
        """Raises UsageError for numbers out of range."""
        self.reward.check_settings()
        checks.within("failure_reward", self.failure, interval="[0, inf]", optional=True)

    def of(self, losses: Sequence[float] | None) -> float | None:
        """The reward. Raises UsageError for a first loss without one, or with a negative one."""
        if losses is None:
            return self.failure
        found = self.reward.of(losses[0])
        if found < 0:
            raise UsageError(
                f"strategy.reward={self.kind} gives {found:g}, and this strategy needs rewards of at least 0; "
                "choose another first objective"
            )
        return found
