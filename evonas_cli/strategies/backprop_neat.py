"""Backprop NEAT: structures evolve, gradient descent fits the weights, children inherit them (Ha, 2016).

    generation 0: samples; then each generation, once all are trained
    the trained weights go into the genomes, and what computes nothing is pruned (Lamarckian inheritance)
    k-medoids make `clusters` of the members by the space's distance
    each cluster has as many children: both parents are drawn with p ~ 1 / (loss + `loss_slack`), recombined, mutated
    with `extinction_probability` the parents in the worst cluster's place are those of the best cluster
    the best of each living cluster and the hall of fame, the best ever, are trained on beside the children

The loss is the first one, of at least 0; `fitness_loss` of job=neurons has the penalty on links in it. A failed
candidate is no member. Where no member is left, candidates are sampled.

`pressure` (evolution/pressure.py) orders members and clusters and draws parents by other losses: -(rho z(fitness) +
(1 - rho) z(bonus)) among the members, raised by as much as makes the least 0. The hall of fame remains that of the
loss, since a bonus compares the members of one generation alone.

The source is a demonstration, not a paper. Beside it: generation 0 is trained, too; the hall of fame holds a lineage
once, since a candidate that was trained on takes the place of the one whose weights it had. A generation may be asked
before the one before it is told (the run's window): it breeds from what was told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random
from statistics import fmean
from typing import Generic, Protocol

from evonas_cli.core.checks import require, whole, within
from evonas_cli.core.codec import later
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Objective, Proposal
from evonas_cli.evolution import pressure
from evonas_cli.evolution.behaviour import Behaviours
from evonas_cli.evolution.medoids import k_medoids
from evonas_cli.evolution.pressure import FITNESS, WeighedPressure
from evonas_cli.genomes.capabilities import Crossable, Lamarckian, Measured, Mutable, Prunable, Sized


class NetworkSpace(Space[G], Mutable[G], Crossable[G], Measured[G], Lamarckian[G], Prunable[G], Protocol[G]):
    """What backprop NEAT uses of a space."""


@dataclass(frozen=True, slots=True)
class Member(Generic[G]):
    """A candidate that succeeded: its genome with the trained weights, pruned, and its loss."""

    id: int
    genome: G
    loss: float


@dataclass(frozen=True, slots=True)
class Pool(Generic[G]):
    """The members told last, best first; their clusters, as places among them, the cluster of the best first.

    `hall` are the best ever. `pending` says by batch, for each candidate that is asked and not told, whose weights it
    was trained on from (None: it is a child or a sample). `behaviours` is empty where losses alone count.
    """

    members: tuple[Member[G], ...] = ()
    clusters: tuple[tuple[int, ...], ...] = ()
    hall: tuple[Member[G], ...] = ()
    generation: int = 0
    pending: tuple[tuple[int | None, ...], ...] = ()
    behaviours: Behaviours = later(Behaviours)

    def cluster(self, place: int) -> list[Member[G]]:
        """Its members, best first."""
        return [self.members[index] for index in self.clusters[place]]


@dataclass(frozen=True, kw_only=True)
class BackpropNeat(WeighedPressure, Generic[G]):
    """Evolution of structures whose weights are trained and inherited, in clusters (Ha, 2016)."""

    space: NetworkSpace[G]
    population_size: int = 100
    clusters: int = 5
    hall_of_fame: int = 5
    extinction_probability: float = 0.5
    loss_slack: float = 0.01

    def __post_init__(self) -> None:
        whole("population_size", self.population_size, least=2)
        whole("clusters", self.clusters, least=1)
        size = f"is more than strategy.population_size={self.population_size}"
        require(self.clusters <= self.population_size, "clusters", self.clusters, size)
        whole("hall_of_fame", self.hall_of_fame, least=0)
        within("extinction_probability", self.extinction_probability, interval="[0, 1]")
        within("loss_slack", self.loss_slack, interval="(0, inf)")
        pressure.check(self, self.population_size)

    @property
    def demands(self) -> Demands:
        """Genomes of networks that take trained weights, and that recombine and mutate, with a distance; a descriptor
        where behaviour counts."""
        return Demands(space=(Mutable, Crossable, Measured, Lamarckian, Prunable), descriptor=self.pressure != FITNESS)

    @property
    def least_evaluations(self) -> int:
        """Generation 0."""
        return self.population_size

    def check_objectives(self, objectives: Sequence[Objective]) -> None:
        """Raises UsageError for a metric of which more is better: for fitness, parents are drawn by the inverse of a
        loss."""
        if self.pressure == FITNESS and objectives[0].direction == "max":
            raise UsageError(
                f"objectives: strategy BackpropNeat draws parents by 1 / (loss + slack), but more {objectives[0].name} "
                "is better; name a loss first, such as objectives=[fitness_loss]"
            )

    def init(self, rng: Random) -> Pool[G]:
        """No member."""
        return Pool()

    def ask(self, state: Pool[G], rng: Random) -> tuple[list[Proposal[G]], Pool[G]]:
        """The children of all clusters, then those that are trained on."""
        if state.members:
            parents = self._parents(state, rng)
            chances = self._chances(state)
            places = range(self.population_size)
            children = [self._child(parents[place % len(parents)], chances, rng) for place in places]
            kept = {one.id: one for one in (*state.hall, *[cluster[0] for cluster in parents])}
        else:
            children = [Proposal(self.space.sample(rng), operator="sample") for _ in range(self.population_size)]
            kept = {}
        trained_on = [Proposal(one.genome, parents=(id,), operator="train_on") for id, one in kept.items()]
        batch = (*[None] * len(children), *kept)
        return [*children, *trained_on], replace(state, pending=(*state.pending, batch))

    def tell(self, state: Pool[G], told: Sequence[Evaluation[G]], rng: Random) -> Pool[G]:
        """Members, hall of fame and clusters anew."""
        origins, *pending = state.pending
        found = [
            (self._member(one, one.losses[0]), origin)
            for one, origin in zip(told, origins, strict=True)
            if one.losses is not None
        ]
        own = {member.id: member.loss for member, _ in found}
        behaviours = pressure.judged(self, state.behaviours, told, own, rng)
        members = _best_first([member for member, _ in found], pressure.losses(self, behaviours, own))
        return Pool(
            tuple(members),
            self._clusters(members, rng),
            self._hall(state.hall, found),
            state.generation + 1,
            tuple(pending),
            behaviours,
        )

    def population(self, state: Pool[G]) -> tuple[int, ...]:
        """All members, best first."""
        return tuple([member.id for member in state.members])

    def figures(self, state: Pool[G]) -> Mapping[str, Json]:
        """Best and mean loss, those of the hall of fame and of clusters; links and hidden nodes if counted (the best
        are those of the least loss, whatever the pressure); and `pressure.figures`."""
        losses = [member.loss for member in state.members]
        clusters: list[Json] = [
            {"size": len(one), "best_loss": min(losses[place] for place in one)} for one in state.clusters
        ]
        found: dict[str, Json] = {
            "generation": state.generation,
            "best_loss": min(losses, default=None),
            "mean_loss": fmean(losses) if losses else None,
            "hall_of_fame": [member.loss for member in state.hall],
            "clusters": clusters,
        }
        if isinstance(self.space, Sized) and losses:
            sizes = [self.space.sizes(member.genome) for member in state.members]
            found["best_sizes"] = dict(sizes[losses.index(min(losses))])
            found["mean_sizes"] = {name: fmean(size[name] for size in sizes) for name in sizes[0]}
        return {**found, **pressure.figures(self, state.behaviours)}

    def _member(self, told: Evaluation[G], loss: float) -> Member[G]:
        """With the weights that its job handed back, if it did."""
        genome = told.genome if told.payload is None else self.space.with_weights(told.genome, told.payload)
        return Member(told.id, self.space.prune(genome), loss)

    def _clusters(self, members: Sequence[Member[G]], rng: Random) -> tuple[tuple[int, ...], ...]:
        distances = [[0.0] * len(members) for _ in members]
        for (i, first), (j, second) in combinations(enumerate(members), 2):
            distances[i][j] = distances[j][i] = self.space.distance(first.genome, second.genome)
        return tuple(sorted(tuple(cluster) for cluster in k_medoids(distances, self.clusters, rng)))

    def _hall(self, hall: Sequence[Member[G]], found: Sequence[tuple[Member[G], int | None]]) -> tuple[Member[G], ...]:
        """The best of those that were in it and of those told, of each lineage the best."""
        lineages = {member.id: member for member in hall}
        for member, origin in found:
            known = lineages.pop(origin, None) if origin is not None else None
            best = member if known is None or member.loss <= known.loss else known
            lineages[best.id] = best
        return tuple(_best_first(list(lineages.values()))[: self.hall_of_fame])

    def _parents(self, state: Pool[G], rng: Random) -> list[list[Member[G]]]:
        """The members that breed, for each of the clusters' places."""
        parents = [state.cluster(place) for place in range(len(state.clusters))]
        if len(parents) > 1 and rng.random() < self.extinction_probability:
            parents[-1] = parents[0]
        return parents

    def _chances(self, state: Pool[G]) -> Mapping[int, float]:
        """By id how likely a member is a parent, in proportion to the others of its cluster."""
        losses = pressure.losses(self, state.behaviours, {member.id: member.loss for member in state.members})
        least = 0.0 if self.pressure == FITNESS else min(losses.values())
        return {id: 1 / (max(0.0, loss - least) + self.loss_slack) for id, loss in losses.items()}

    def _child(self, parents: Sequence[Member[G]], chances: Mapping[int, float], rng: Random) -> Proposal[G]:
        weights = [chances[parent.id] for parent in parents]
        mother, father = rng.choices(parents, weights, k=2)
        child = mother.genome if mother is father else self.space.recombine([mother.genome, father.genome], rng)
        operator = "mutation" if mother is father else "crossover+mutation"
        ids = tuple(dict.fromkeys((mother.id, father.id)))
        return Proposal(self.space.mutate(child, rng), parents=ids, operator=operator)


def _best_first(members: Sequence[Member[G]], losses: Mapping[int, float] | None = None) -> list[Member[G]]:
    """By loss, or by `losses` of their ids where these are given; of equal ones the elder first."""
    return sorted(members, key=lambda member: (member.loss if losses is None else losses[member.id], member.id))
