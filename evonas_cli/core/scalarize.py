"""One number made of several metrics: `reward`, which more is better of, for strategies that follow one objective.

The forms `mixed`, `limit` and `floor` are those of MONAS (Hsu et al., "MONAS: Multi-Objective Neural Architecture
Search using Reinforcement Learning", 2018, section 3.3), where the cost is energy. `weighted` is a weighted sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

REWARD = "reward"
"""The name of the metric."""
PROXIES = frozenset({"multiply_adds", "parameters", "train_seconds", "cost"})
"""Counted or timed in training: these costs stand for the energy of inference, and do not measure it."""


class Reward(Protocol):
    """A form with its settings."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The metrics that the reward is made of: `("valid_accuracy", "multiply_adds")`."""

    @property
    def costs(self) -> tuple[str, ...]:
        """Those of them that can be no negative number: `("multiply_adds",)`."""

    def value(self, metrics: Mapping[str, float]) -> float:
        """The reward of a candidate. Raises KeyError when a source was not measured."""

    def __str__(self) -> str:
        """The formula in one line; a cost that is a proxy of energy says so."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """R = - sum of weight x loss, where a metric that more is better of counts as its negative.

    `weights` are above 0, by metric; `rising` names the metrics that more is better of.
    """

    weights: Mapping[str, float]
    rising: frozenset[str]

    @property
    def sources(self) -> tuple[str, ...]:
        """As in `Reward`."""
        return tuple(self.weights)

    @property
    def costs(self) -> tuple[str, ...]:
        """None: a loss may have any sign."""
        return ()

    def value(self, metrics: Mapping[str, float]) -> float:
        """As in `Reward`."""
        signed = [weight if name in self.rising else -weight for name, weight in self.weights.items()]
        return sum(weight * metrics[name] for name, weight in zip(self.weights, signed, strict=True))

    def __str__(self) -> str:
        terms = [
            f"{'+' if name in self.rising else '-'} {weight:.6g} x {_named(name)}"
            for name, weight in self.weights.items()
        ]
        return " ".join(terms).removeprefix("+ ")


@dataclass(frozen=True, slots=True)
class _Traded:
    """The two metrics of a reward that trades an accuracy for a cost."""

    accuracy: str
    cost: str

    @property
    def sources(self) -> tuple[str, ...]:
        """As in `Reward`."""
        return self.accuracy, self.cost

    @property
    def costs(self) -> tuple[str, ...]:
        """As in `Reward`."""
        return (self.cost,)


@dataclass(frozen=True, slots=True)
class Mixed(_Traded):
    """R = a x accuracy - (1 - a) x cost, the cost as its share of the range `bounds`, clipped to [0, 1]."""

    a: float
    bounds: tuple[float, float]

    def value(self, metrics: Mapping[str, float]) -> float:
        """As in `Reward`."""
        return self.a * metrics[self.accuracy] - (1.0 - self.a) * _share(metrics[self.cost], self.bounds)

    def __str__(self) -> str:
        share = _share_of(self.cost, self.bounds)
        return f"{self.a:.6g} x {self.accuracy} - {1.0 - self.a:.6g} x {share}"


@dataclass(frozen=True, slots=True)
class Limit(_Traded):
    """R = accuracy where the cost is below `limit`, else 0."""

    limit: float

    def value(self, metrics: Mapping[str, float]) -> float:
        """As in `Reward`."""
        accuracy = metrics[self.accuracy]
        return float(accuracy) if metrics[self.cost] < self.limit else 0.0

    def __str__(self) -> str:
        return f"{self.accuracy} where {_named(self.cost)} < {self.limit:.6g}, else 0"


@dataclass(frozen=True, slots=True)
class Floor(_Traded):
    """R = 1 - cost where the accuracy is above `floor`, else 0; the cost as its share of `bounds`, in [0, 1]."""

    bounds: tuple[float, float]
    floor: float

    def value(self, metrics: Mapping[str, float]) -> float:
        """As in `Reward`."""
        share = _share(metrics[self.cost], self.bounds)
        return 1.0 - share if metrics[self.accuracy] > self.floor else 0.0

    def __str__(self) -> str:
        return f"1 - {_share_of(self.cost, self.bounds)} where {self.accuracy} > {self.floor:.6g}, else 0"


def _share(cost: float, bounds: tuple[float, float]) -> float:
    lower, upper = bounds
    return min(1.0, max(0.0, (cost - lower) / (upper - lower)))


def _named(metric: str) -> str:
    return f"{metric} (proxy)" if metric in PROXIES else metric


def _share_of(cost: str, bounds: tuple[float, float]) -> str:
    return f"{_named(cost)} as its share of [{bounds[0]:.6g}, {bounds[1]:.6g}]"
