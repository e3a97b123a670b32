"""MetaQNN: Q-learning over the decisions of a space (Baker, Gupta, Naik, Raskar, ICLR 2017).

    the agent writes a network decision by decision, epsilon-greedily; the network is trained; its reward is the
    accuracy; 100 walks from the memory then teach the table of Q, each from its last transition to its first.

The agent is in walks/agent.py, the table and what a state is in walks/table.py. As in the authors' code Q begins at
0.5, ties are broken at random, and a network that is drawn again is neither trained nor counted. Beside the paper: the
space says what is legal, so the state is the place in the walk with the last answers in place of layer and map size;
the trainer's schedule stands for five attempts at lower learning rates; `evonas retrain` stands for its last phase.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from evonas_cli.core.demands import Demands
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.genomes.capabilities import Walkable
from evonas_cli.walks.agent import Memory
from evonas_cli.walks.learning import AgentSettings


class WalkableSpace(Space[G], Walkable[G], Protocol[G]):
    """What this strategy uses of a space."""


@dataclass(frozen=True, kw_only=True)
class QLearning(AgentSettings[G]):
    """Tabular Q-learning writes architectures, exploring less and less (MetaQNN: Baker et al., 2017).

    `epsilons` lists [epsilon, models]; `history` is the number of answers in a state; `discount` is the paper's gamma;
    `initial` the value of what was never visited; `replays` follow each model told.
    """

    space: WalkableSpace[G]

    @property
    def demands(self) -> Demands:
        """A walk."""
        return Demands(space=(Walkable,))

    def init(self, rng: Random) -> Memory:
        """An empty table."""
        return self._agent.init()

    def ask(self, state: Memory, rng: Random) -> tuple[list[Proposal[G]], Memory]:
        """`batch` walks."""
        return self._agent.ask(state, rng)

    def tell(self, state: Memory, told: Sequence[Evaluation[G]], rng: Random) -> Memory:
        """Rewards go into the memory, replays into the table. Raises UsageError for a loss without a reward."""
        return self._agent.tell(state, [self._rewards.of(evaluation.losses) for evaluation in told], rng)

    def figures(self, state: Memory) -> Mapping[str, Json]:
        """Epsilon, mean reward by stage, sizes of table and memory."""
        return self._agent.figures(state)
