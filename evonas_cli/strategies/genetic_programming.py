"""Genetic programming in species, kept away from what it has explored (Rawal and Miikkulainen, arXiv 1803.04439, 2018).

    generation 0: `population_size` samples; then each generation
    every genome joins the first species of which a random member of the generation before is nearer than the threshold
    a species has places in proportion to its shared fitness, the mean rank of its members
    the `elitism` best of each species live on, and are not evaluated again
    all others are children of the best `survival_fraction` of their species: crossed with another one of these with
    `crossover_probability`, and mutated with `mutation_probability`, or always where they have one parent
    a child in an explored region is drawn again, at most `redraws` times; the last draw stands

Explored is a genome whose canonical form was proposed before, or whose region has had `visits` proposals
(evolution/explored.py: the paper's hall of shame). Samples are drawn again by the same rule. Species are those of NEAT
(evolution/speciation.py) by the space's own distance, which for trees is structural (genomes/trees.py). The paper's
population is 100; rates are ours, as are ranks in the place of fitness. A failed candidate is no member; where no
member is left, candidates are sampled. A generation may be asked before the one before it is told (the run's window):
it breeds from what was told.

`pressure` (evolution/pressure.py) puts worth, rho z(fitness) + (1 - rho) z(bonus) among the members, in the place of
fitness: places of species, elites and parents go by it. What is explored is drawn again all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from random import Random
from statistics import fmean
from typing import Generic, Protocol

from evonas_cli.core.checks import require, whole, within
from evonas_cli.core.codec import later
from evonas_cli.core.demands import Demands
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution import pressure
from evonas_cli.evolution.behaviour import Behaviours
from evonas_cli.evolution.explored import Explored, form_of, region_of, visited
from evonas_cli.evolution.pressure import FITNESS, WeighedPressure
from evonas_cli.evolution.speciation import STEP, joined, nudged, offspring_counts, settled, shared_fitness
from evonas_cli.genomes.capabilities import Crossable, Measured, Mutable, Sized


class VariableSpace(Space[G], Mutable[G], Crossable[G], Measured[G], Protocol[G]):
    """What this strategy uses of a space."""


@dataclass(frozen=True, slots=True)
class Member(Generic[G]):
    """A candidate that succeeded."""

    id: int
    genome: G
    loss: float
    species: int = -1


@dataclass(frozen=True, slots=True)
class Population(Generic[G]):
    """The members told last, elites first; `generation` counts those told, ids of species are never used again.

    `behaviours` is empty where members are selected for their fitness alone.
    """

    members: tuple[Member[G], ...]
    threshold: float
    generation: int = 0
    next_species: int = 0
    explored: Explored[G] = field(default_factory=Explored)
    behaviours: Behaviours = later(Behaviours)


@dataclass(frozen=True, kw_only=True)
class GeneticProgramming(WeighedPressure, Generic[G]):
    """Genetic programming in species, with an archive of explored regions (Rawal and Miikkulainen, 2018).

    `threshold` and `radius` are distances of the space. `species` is a wanted number that the threshold follows (None:
    it stays); `visits` None lets regions be visited without a limit.
    """

    space: VariableSpace[G]
    population_size: int = 20
    species: int | None = 4
    threshold: float = 0.3
    elitism: int = 1
    survival_fraction: float = 0.5
    crossover_probability: float = 0.5
    mutation_probability: float = 0.8
    radius: float = 0.05
    visits: int | None = 10
    redraws: int = 10

    def __post_init__(self) -> None:
        size = self.population_size
        whole("population_size", size, least=2)
        whole("species", self.species, least=1, optional=True)
        if self.species is not None:
            require(self.species <= size, "species", self.species, f"is more than strategy.population_size={size}")
        within("threshold", self.threshold, interval=f"[{STEP}, 1000]")
        whole("elitism", self.elitism, least=0)
        for key in ("crossover_probability", "mutation_probability"):
            within(key, getattr(self, key), interval="[0, 1]")
        within("survival_fraction", self.survival_fraction, interval="(0, 1]")
        within("radius", self.radius, interval="(0, 1000]")
        whole("visits", self.visits, least=1, optional=True)
        whole("redraws", self.redraws, least=0)
        pressure.check(self, size)

    @property
    def demands(self) -> Demands:
        """Genomes that mutate and recombine, with a distance; a descriptor where behaviour counts."""
        return Demands(space=(Mutable, Crossable, Measured), descriptor=self.pressure != FITNESS)

    @property
    def least_evaluations(self) -> int:
        """Generation 0."""
        return self.population_size

    def init(self, rng: Random) -> Population[G]:
        """No member."""
        return Population((), self.threshold)

    def ask(self, state: Population[G], rng: Random) -> tuple[list[Proposal[G]], Population[G]]:
        """A generation without the elites."""
        proposals, judged = [], self._judged(state)
        for species, (_, n_children) in self._places(judged).items():
            members = _best_first(judged.members, species)
            parents = members[: ceil(self.survival_fraction * len(members))]
            for _ in range(n_children):
                proposal, state = self._new(state, parents, rng)
                proposals.append(proposal)
        return proposals, state

    def tell(self, state: Population[G], told: Sequence[Evaluation[G]], rng: Random) -> Population[G]:
        """The elites and the children that succeeded, in species."""
        judged, known = self._judged(state), {one.id: one for one in state.members}
        places = self._places(judged).items()
        elites = [known[one.id] for species, (n, _) in places for one in _best_first(judged.members, species)[:n]]
        children = [Member(one.id, one.genome, one.losses[0]) for one in told if one.losses is not None]
        after = self._speciated(state, [*elites, *children[: self.population_size - len(elites)]], rng)
        behaviours = pressure.judged(self, state.behaviours, told, [one.id for one in after.members], rng)
        return replace(after, behaviours=behaviours)

    def population(self, state: Population[G]) -> tuple[int, ...]:
        """All members."""
        return tuple([member.id for member in state.members])

    def figures(self, state: Population[G]) -> Mapping[str, Json]:
        """Of the members: sizes of species by id, threshold, best and mean loss, the best one's sizes if counted; of
        the run: explored forms and regions, draws given up, and proposals that are explored nevertheless; and
        `pressure.figures`."""
        species = sorted({member.species for member in state.members})
        best = _best_first(state.members)
        sizes: dict[str, Json] = {str(id): sum(member.species == id for member in best) for id in species}
        found: dict[str, Json] = {
            "generation": state.generation,
            "n_species": len(sizes),
            "species": sizes,
            "threshold": state.threshold,
            "best": best[0].loss if best else None,
            "mean_loss": fmean(member.loss for member in best) if best else None,
            "explored_forms": len(state.explored.forms),
            "explored_regions": len(state.explored.regions),
            "redrawn": state.explored.redrawn,
            "known": state.explored.known,
        }
        if best and isinstance(self.space, Sized):
            found["best_sizes"] = dict(self.space.sizes(best[0].genome))
        return {**found, **pressure.figures(self, state.behaviours)}

    def _judged(self, state: Population[G]) -> Population[G]:
        """The population with what members are selected by in the place of their losses."""
        losses = pressure.losses(self, state.behaviours, {one.id: one.loss for one in state.members})
        return replace(state, members=tuple([replace(one, loss=losses[one.id]) for one in state.members]))

    def _places(self, state: Population[G]) -> dict[int, tuple[int, int]]:
        """By species its numbers of elites and of children, of which there is one at least; without members one
        nameless species that has none."""
        if not state.members:
            return {-1: (0, self.population_size)}
        shares = shared_fitness([one.species for one in state.members], [-one.loss for one in state.members])
        counts = offspring_counts(shares, self.population_size, _best_first(state.members)[0].species)
        sizes = {species: len(_best_first(state.members, species)) for species in counts}
        elites = {species: min(self.elitism, count, sizes[species]) for species, count in counts.items()}
        if sum(elites.values()) == self.population_size:
            elites[max(elites, key=elites.__getitem__)] -= 1
        return {species: (elites[species], count - elites[species]) for species, count in counts.items()}

    def _new(
        self, state: Population[G], parents: Sequence[Member[G]], rng: Random
    ) -> tuple[Proposal[G], Population[G]]:
        """A proposal that is not explored, as far as draws suffice, and the state that knows it."""
        explored, known, draws = state.explored, True, 0
        while known and draws <= self.redraws:
            genome, family, operator = self._child(parents, rng) if parents else (self.space.sample(rng), (), "sample")
            form, region = form_of(self.space, genome), region_of(explored, genome, self.radius, self.space.distance)
            visits = 0 if region is None else explored.regions[region].visits
            known = form in explored.forms or (self.visits is not None and visits >= self.visits)
            draws += 1
        after = visited(explored, genome, form, region)
        after = replace(after, redrawn=after.redrawn + draws - 1, known=after.known + known)
        return Proposal(genome, parents=family, operator=operator), replace(state, explored=after)

    def _child(self, parents: Sequence[Member[G]], rng: Random) -> tuple[G, tuple[int, ...], str]:
        """A genome, its parents' ids and the operators that made it."""
        mother = rng.choice(parents)
        others = [one for one in parents if one is not mother]
        genome, family, steps = mother.genome, [mother.id], []
        if others and rng.random() < self.crossover_probability:
            father = rng.choice(others)
            genome, steps = self.space.recombine([genome, father.genome], rng), ["crossover"]
            family.append(father.id)
        if not steps or rng.random() < self.mutation_probability:
            genome = self.space.mutate(genome, rng)
            steps.append("mutation")
        return genome, tuple(family), "+".join(steps)

    def _speciated(self, state: Population[G], members: Sequence[Member[G]], rng: Random) -> Population[G]:
        """The members in the species that were there and in new ones; the threshold then follows a wanted number."""
        known = sorted({member.species for member in state.members})
        representatives = [rng.choice(_best_first(state.members, species)).genome for species in known]
        genomes, threshold = [member.genome for member in members], state.threshold
        if self.species is not None and members and not state.members:
            threshold = settled(genomes, threshold, self.species, self.space.distance, first=True)
        labels, every = joined(genomes, representatives, threshold, self.space.distance, first=True)
        next_species = state.next_species + len(every) - len(known)
        ids = [*known, *range(state.next_species, next_species)]
        placed = tuple([replace(one, species=ids[label]) for one, label in zip(members, labels, strict=True)])
        if self.species is not None and state.members and placed:
            threshold = nudged(threshold, len(set(labels)), self.species)
        return Population(placed, threshold, state.generation + 1, next_species, state.explored)


def _best_first(members: Sequence[Member[G]], species: int | None = None) -> list[Member[G]]:
    """Those of a species, or all, by loss; of equal ones the elder first."""
    own = [member for member in members if species is None or member.species == species]
    return sorted(own, key=lambda member: (member.loss, member.id))
