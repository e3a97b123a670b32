"""IRLAS: Q-learning for networks that are good and built like an expert's (Guo et al., CVPR 2019).

    the topology of the expert network becomes feature expectations; rounds of apprenticeship learning find weights of
    features, the mirror stimuli, by which an agent imitates it; then, as in MetaQNN,
    reward = (accuracy + mirror_weight x mirror) / (1 + mirror_weight)

Feature expectations are in walks/topology.py, the rounds in walks/apprenticeship.py, the agent in walks/agent.py. The
rounds train no network and belong to the first ask. Ours, since the formulas are not at hand: how the stimulus is
squashed into [0, 1] and weighted. Topology is compared on networks for inputs of one shape, `inputs`; the data's may be
another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from random import Random
from statistics import fmean
from typing import Protocol

from evonas_cli.core import checks
from evonas_cli.core.demands import Demands
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.genomes.capabilities import Buildable, Walkable
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task
from evonas_cli.walks.agent import Memory
from evonas_cli.walks.apprenticeship import Mirror, learned
from evonas_cli.walks.expert import Expert
from evonas_cli.walks.learning import AgentSettings
from evonas_cli.walks.topology import Features, expectations, similarity

RECENT, KEPT = 100, 4096
"""Candidates over which the figures tell means; genomes whose features are kept, since walks meet them again."""


class BuildableSpace(Space[G], Walkable[G], Buildable[G], Protocol[G]):
    """What this strategy uses of a space."""


@dataclass(frozen=True, slots=True)
class Imitation:
    """What evolves: the agent's memory, the mirror stimuli (None before the first ask), and of the last candidates told
    the similarity to the expert (None: no network for `inputs`). `expert` is the checksum of the expert's network."""

    memory: Memory
    expert: str
    mirror: Mirror | None = None
    similarities: tuple[float | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Irlas(AgentSettings[G]):
    """Q-learning with a reward for being built like an expert (IRLAS: Guo et al., 2019).

    `expert` is a human pattern, or a file with a plan or a genome; `mirror_weight` the weight of imitation beside
    accuracy; `feature_discount` gamma of the feature expectations; `rounds` of apprenticeship have `walks` walks each.
    The other settings are those of q_learning (walks/learning.py).
    """

    space: BuildableSpace[G]
    expert: str
    mirror_weight: float = 0.5
    feature_discount: float = 0.9
    inputs: Sequence[int] = (3, 32, 32)
    rounds: int = 4
    walks: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.within("mirror_weight", self.mirror_weight, interval="[0, inf]")
        checks.within("feature_discount", self.feature_discount, interval="(0, 1]")
        checks.whole("rounds", self.rounds, least=1)
        checks.whole("walks", self.walks, least=4)
        shape = len(self.inputs) in (1, 2, 3) and all(type(size) is int and size > 0 for size in self.inputs)
        checks.require(shape, "inputs", list(self.inputs), "must be one to three whole numbers above 0")

    @cached_property
    def _expert(self) -> Expert[G]:
        return Expert(self.space, self.expert, Task(tuple(self.inputs), 10))

    @cached_property
    def _expected(self) -> Features:
        return expectations(self._expert.plan, self.feature_discount)

    @property
    def demands(self) -> Demands:
        """A walk, and networks."""
        return Demands(space=(Walkable, Buildable))

    def check_space(self) -> None:
        """Raises UsageError for an expert that the space cannot express."""
        self._expert.check()

    def init(self, rng: Random) -> Imitation:
        """An empty table. Raises as `check_space`."""
        self.check_space()
        return Imitation(self._agent.init(), self._expert.digest)

    def ask(self, state: Imitation, rng: Random) -> tuple[list[Proposal[G]], Imitation]:
        """`batch` walks; the rounds come before the first. Raises UsageError for another expert than that of `init`."""
        self._expert.check_same(state.expert)
        mirror = state.mirror
        if mirror is None:
            mirror = learned(self._agent.learner, self._topology, self._expected, self.rounds, self.walks, rng)
        proposals, memory = self._agent.ask(state.memory, rng)
        return proposals, replace(state, memory=memory, mirror=mirror)

    def tell(self, state: Imitation, told: Sequence[Evaluation[G]], rng: Random) -> Imitation:
        """Rewards with mirror stimuli go into the memory. Raises UsageError for a loss without a reward."""
        assert state.mirror is not None
        rewards, alike = [], list(state.similarities)
        for evaluation in told:
            features, own = self._topology(evaluation.genome), self._rewards.of(evaluation.losses)
            alike.append(None if features is None else similarity(features, self._expected))
            mirrored = self.mirror_weight * state.mirror.of(features)
            if own is not None and evaluation.losses is not None:
                own = (own + mirrored) / (1 + self.mirror_weight)
            rewards.append(own)
        memory = self._agent.tell(state.memory, rewards, rng)
        return replace(state, memory=memory, similarities=tuple(alike[-RECENT:]))

    def figures(self, state: Imitation) -> Mapping[str, Json]:
        """The agent's figures, the margins of the rounds, and the mean similarity of the last 100 candidates."""
        found = self._agent.figures(state.memory)
        alike = [value for value in state.similarities if value is not None]
        return {
            **found,
            "margins": list(state.mirror.margins) if state.mirror else [],
            "recent": len(state.similarities),
            "recent_similarity": fmean(alike) if alike else None,
        }

    def _topology(self, genome: G) -> Features | None:
        return self._features(json.dumps(self.space.to_json(genome)))

    @cached_property
    def _features(self) -> Callable[[str], Features | None]:
        return lru_cache(KEPT)(self._decoded)

    def _decoded(self, genome: str) -> Features | None:
        try:
            plan = self.space.decode(self.space.from_json(json.loads(genome)), self._expert.task).plan
        except PlanError:
            return None
        return expectations(plan, self.feature_discount)
