"""A reward learned from an expert: apprenticeship learning by projection (Abbeel and Ng, ICML 2004, section 3.1).

    mean_0 = mu of a random agent; in round i:
        w_i = mu_expert - mean_(i-1), of length t_i, the margin
        an agent is trained on the reward w_i . mu(network), scaled so that mean_(i-1) has 0.5 and mu_expert has 1;
        mu_i is its expectation
        mean_i = the point nearest to mu_expert between mean_(i-1) and mu_i

Margins never rise, since the nearest point may be mean_(i-1) itself (the paper goes on along the line, which supposes
optimal agents). No network is trained: an agent learns by Q-learning from the topology of what it writes, with an
epsilon that falls evenly from 1 to 0, and its expectation is that of the last quarter of its walks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from evonas_cli.core.types import G
from evonas_cli.genomes.walk import Trace
from evonas_cli.walks.table import Learner, Table
from evonas_cli.walks.topology import Features, combined, dot, mean, norm

TAUGHT = 100
"""Walks out of an agent's memory that teach its table after each walk."""

Topology = Callable[[Any], Mapping[str, float] | None]
"""mu of a genome's network; None for a genome without one."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """The learned reward: `weights` of features, of length 1, and what they give for agent and expert.

    `margins` are those before each round and after the last one. `nearest` is the distance between the expert and the
    agent that was trained on these weights.
    """

    weights: dict[str, float]
    agent: float
    expert: float
    margins: tuple[float, ...]
    nearest: float

    def of(self, features: Mapping[str, float] | None) -> float:
        """Mirror stimulus in [0, 1]: 0 as the agent before the round or less like the expert, 1 as the expert."""
        if features is None or self.expert <= self.agent:
            return 0.0
        return min(1.0, max(0.0, self._share(features)))

    def reward(self, features: Mapping[str, float] | None) -> float:
        """Reward in [0, 1] of an agent that learns to imitate: 0.5 as the agent before the round, 1 as the expert."""
        return 0.0 if features is None else min(1.0, max(0.0, (1 + self._share(features)) / 2))

    def _share(self, features: Mapping[str, float]) -> float:
        return (dot(self.weights, features) - self.agent) / (self.expert - self.agent)


def learned(
    learner: Learner[G], topology: Topology, expert: Mapping[str, float], rounds: int, walks: int, rng: Random
) -> Mirror:
    """The weights of that round whose agent came nearest to the expert."""
    agent = _expectation([topology(learner.walk({}, 1.0, rng)[0]) for _ in range(walks)])
    margins = [norm(combined(((1.0, expert), (-1.0, agent))))]
    best = Mirror({}, 0.0, 0.0, (), margins[0])
    for turn in range(rounds):
        if margins[-1] == 0:
            break
        weights = combined(((1 / margins[-1], expert), (-1 / margins[-1], agent)))
        mirror = Mirror(weights, dot(weights, agent), dot(weights, expert), (), margins[-1])
        reached = _trained(learner, topology, mirror, walks, rng)
        apart = norm(combined(((1.0, expert), (-1.0, reached))))
        if turn == 0 or apart < best.nearest:
            best = replace(mirror, nearest=apart)
        agent = _projected(expert, agent, reached)
        margins.append(min(margins[-1], norm(combined(((1.0, expert), (-1.0, agent))))))
    return replace(best, margins=tuple(margins))


def _trained(learner: Learner[G], topology: Topology, mirror: Mirror, walks: int, rng: Random) -> Features:
    """The expectation of an agent that has learned by these weights."""
    table: Table = {}
    memory: list[tuple[Trace, float]] = []
    seen: list[Mapping[str, float] | None] = []
    for walk in range(walks):
        genome, trace = learner.walk(table, 1 - walk / walks, rng)
        seen.append(features := topology(genome))
        memory.append((trace, mirror.reward(features)))
        for known, reward in rng.choices(memory, k=TAUGHT):
            learner.update(table, known, reward)
    return _expectation(seen[-max(1, walks // 4) :])


def _expectation(seen: list[Mapping[str, float] | None]) -> Features:
    """The mean over the genomes that have a network; nothing where none has."""
    features = [each for each in seen if each is not None]
    return mean(features) if features else {}


def _projected(expert: Mapping[str, float], agent: Features, reached: Features) -> Features:
    """The point between `agent` and `reached` that is nearest to the expert."""
    way = combined(((1.0, reached), (-1.0, agent)))
    length = dot(way, way)
    if not length:
        return agent
    share = dot(way, combined(((1.0, expert), (-1.0, agent)))) / length
    return combined(((1.0, agent), (min(1.0, max(0.0, share)), way)))
