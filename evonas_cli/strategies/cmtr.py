"""Coevolution of modules and task routing (Liang, Meyerson and Miikkulainen, Evolutionary Architecture Search for Deep
Multitask Networks, GECCO 2018).

    CTR    a network has a champion and a challenger, its mutant, for each task. Each round all of them are trained
           jointly on the weights that the round before has left, and compared on the validation part. A challenger with
           the smaller error is the champion. Each champion gets a new challenger.
    CM     `population_size` sets of modules go through `rounds` rounds each. The better half of them are the parents of
           the next generation: the best set of modules begins again, the others are crossed and mutated
    CMTR   both; with a population of one, and rounds without an end, CTR alone

After its last round a network is trained once more without challengers. A network that diverges goes on from its last
good round, or is founded anew. Of a set of modules the last error counts, since it has had all rounds. Beside the
paper, a set of modules is crossed as a whole: its species are the places in the set. A task's validation examples
decide about its own route alone, but the modules that all tasks train are shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Generic, Protocol

from evonas_cli.core.checks import require, whole
from evonas_cli.core.demands import Demands
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.genomes.routing import Routing
from evonas_cli.network.metrics import of_task

CHAMPION, RIVAL = "valid_error", "valid_challenger_error"
"""Metrics of a task, by which champions and challengers are compared."""


class RoutingSpace(Space[G], Routing[G], Protocol[G]):
    """What this strategy uses of a space."""


@dataclass(frozen=True, slots=True)
class Network(Generic[G]):
    """A network on its way through the rounds: the candidate of its last good one, with its genome, loss and for each
    task whether the challenger has won. `origin` is what it is founded as; `id` None: no round was good yet."""

    origin: G
    id: int | None = None
    genome: G | None = None
    loss: float | None = None
    wins: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Rounds(Generic[G]):
    """`round` counts the rounds of this generation that were told, `accepted` all challengers that have won."""

    networks: tuple[Network[G], ...] = ()
    round: int = 0
    generation: int = 0
    accepted: int = 0
    compared: int = 0


@dataclass(frozen=True, kw_only=True)
class Cmtr(Generic[G]):
    """Modules evolve; each task's route meets a challenger every round, on shared weights (Liang et al., 2018)."""

    space: RoutingSpace[G]
    population_size: int = 4
    rounds: int | None = 10
    generations: int | None = None

    def __post_init__(self) -> None:
        whole("population_size", self.population_size, least=1)
        whole("rounds", self.rounds, least=1, optional=True)
        whole("generations", self.generations, least=1, optional=True)
        endless = self.rounds is None and self.population_size > 1
        require(not endless, "rounds", self.rounds, "has no end; a population of more than one needs a number")

    @property
    def demands(self) -> Demands:
        """Routes, and a job that hands weights on; a round goes on from the round before."""
        return Demands(space=(Routing, Buildable), continues=True, options=True, window=1)

    @property
    def least_evaluations(self) -> int:
        """A round of each network."""
        return self.population_size

    def init(self, rng: Random) -> Rounds[G]:
        """No network yet."""
        return Rounds()

    def ask(self, state: Rounds[G], rng: Random) -> tuple[list[Proposal[G]], Rounds[G]]:
        """The next round of every network; after the last round those of the next generation."""
        if self.rounds is not None and state.round > self.rounds:
            if self.generations is not None and state.generation + 1 >= self.generations:
                return [], state
            state = replace(state, networks=self._bred(state, rng), round=0, generation=state.generation + 1)
        elif not state.networks:
            state = replace(state, networks=tuple([Network(self.space.founder(rng)) for _ in self._places]))
        return [self._proposal(network, state.round, rng) for network in state.networks], state

    def tell(self, state: Rounds[G], told: Sequence[Evaluation[G]], rng: Random) -> Rounds[G]:
        """Champions and challengers are compared, task by task; what has failed changes nothing."""
        networks = tuple([self._compared(network, one) for network, one in zip(state.networks, told, strict=True)])
        good = [one for one in told if one.losses is not None]
        accepted = sum(_wins(one.metrics, task) for one in good for task in range(self.space.tasks))
        rivals = {of_task(RIVAL, task) for task in range(self.space.tasks)}
        compared = sum(len(rivals & set(one.metrics)) for one in good)
        return replace(
            state,
            networks=networks,
            round=state.round + 1,
            accepted=state.accepted + accepted,
            compared=state.compared + compared,
        )

    def population(self, state: Rounds[G]) -> tuple[int, ...]:
        """The last good round of each network, best first."""
        found = [(network.loss, network.id) for network in state.networks if network.id is not None]
        return tuple([id for _, id in sorted(found)])

    def keeps(self, state: Rounds[G]) -> tuple[int, ...]:
        """Those that rounds go on from."""
        return self.population(state)

    def figures(self, state: Rounds[G]) -> Mapping[str, Json]:
        """The generation, its rounds, all challengers that were compared, and those that have won."""
        return {
            "generation": state.generation,
            "round": state.round,
            "challengers": state.compared,
            "accepted": state.accepted,
        }

    @property
    def _places(self) -> range:
        return range(self.population_size)

    def _proposal(self, network: Network[G], round: int, rng: Random) -> Proposal[G]:
        """A founder, or a round that goes on from the last one; the last round has no challengers."""
        if network.id is None or network.genome is None:
            return Proposal(network.origin, operator="founder")
        if self.rounds is not None and round >= self.rounds:
            child, operator = self.space.settled(network.genome, network.wins), "settled"
        else:
            child, operator = self.space.challenged(network.genome, network.wins, rng), "challenge"
        options: dict[str, Json] = {"start": "inherited", "morphs": list(child.morphs)}
        parents = (network.id,)
        return Proposal(child.genome, continues=network.id, parents=parents, operator=operator, options=options)

    def _compared(self, network: Network[G], told: Evaluation[G]) -> Network[G]:
        if told.losses is None:
            return network
        wins = tuple([_wins(told.metrics, task) for task in range(self.space.tasks)])
        return replace(network, id=told.id, genome=told.genome, loss=told.losses[0], wins=wins)

    def _bred(self, state: Rounds[G], rng: Random) -> tuple[Network[G], ...]:
        """The best modules, founded again, and children of the better half; founders where nothing was good."""
        ranked = sorted((one.loss, place) for place, one in enumerate(state.networks) if one.loss is not None)
        able = [state.networks[place] for _, place in ranked]
        parents = [one.origin for one in able[: max(1, len(ranked) // 2)]]
        if not parents:
            return tuple([Network(self.space.founder(rng)) for _ in self._places])
        children = [self.space.varied(rng.choices(parents, k=2), rng) for _ in self._places[1:]]
        return tuple([Network(parents[0]), *map(Network, children)])


def _wins(metrics: Mapping[str, float], task: int) -> bool:
    """Whether a task's challenger has the smaller error; a network without challengers has none that wins."""
    champion, rival = [metrics.get(of_task(name, task)) for name in (CHAMPION, RIVAL)]
    return champion is not None and rival is not None and rival < champion
