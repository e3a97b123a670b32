"""NEAT: neuroevolution of augmenting topologies (Stanley and Miikkulainen, 2002).

    generation 0: samples, which a space of neurons makes minimal; then each generation
    every genome joins the first species of which a random member of the generation before is nearer than the threshold
    a species has offspring in proportion to the sum of its members' fitness, each shared with all of its species
    the champion of a species with more than `champion_size` members is copied, and not evaluated again
    the others are children of the best `survival_fraction` of their species: of two parents with
    `crossover_probability`, and then mutated, or mutants of one
    a species without a better champion for `stagnation` generations has no offspring, unless it has the best of all

Fitness is minus the first loss; where one of a generation is negative, all are raised by as much as makes the least 0.
The fitter of two parents gives the genes that do not match (`Aligned`; other spaces take parents as equals). A failed
candidate is no member. Where no member is left, candidates are sampled.

`pressure` (evolution/pressure.py) puts novelty, surprise or curiosity in the place of fitness, as novelty search with
NEAT has it (Lehman and Stanley, 2011): worth = rho z(fitness) + (1 - rho) z(bonus) decides on offspring, champions,
survivors and the fitter of two parents. A worth compares the members of one generation alone, since archive and
deviations move on. No champion is then better than one of another generation, so species do not stagnate under any
pressure but fitness; a species ends where no member is near it.

Beside the paper: `species` is a wanted number of species that the threshold follows (null: a fixed threshold).
`speciation: false` is the paper's ablation, one species without stagnation. A generation may be asked before the one
before it is told (the run's window): it breeds from what was told, and when it is told its last members leave if there
is no room beside the champions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from random import Random
from statistics import fmean
from typing import Generic, Protocol

from evonas_cli.core.checks import require, switch, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution import pressure
from evonas_cli.evolution.behaviour import Behaviours
from evonas_cli.evolution.pressure import FITNESS, WeighedPressure
from evonas_cli.evolution.speciation import STEP, joined, nudged, offspring_counts, settled
from evonas_cli.genomes.capabilities import Aligned, Crossable, Measured, Mutable, Sized


class NeatSpace(Space[G], Mutable[G], Crossable[G], Measured[G], Protocol[G]):
    """What NEAT uses of a space."""


@dataclass(frozen=True, slots=True)
class Member(Generic[G]):
    """A candidate that succeeded; `fitness` is higher for better ones, `worth` is what members are selected by."""

    id: int
    genome: G
    fitness: float
    species: int
    worth: float


@dataclass(frozen=True, slots=True)
class Species:
    """A living species: an id that is never used again, its best fitness so far, and the generation that reached it."""

    id: int
    best: float
    improved: int


@dataclass(frozen=True, slots=True)
class Population(Generic[G]):
    """The members told last, champions that live on first; their species by id; `generation` counts those told.

    `behaviours` is empty where members are selected for their fitness alone.
    """

    members: tuple[Member[G], ...]
    species: tuple[Species, ...]
    threshold: float
    generation: int = 0
    next_species: int = 0
    behaviours: Behaviours = field(default_factory=Behaviours)


@dataclass(frozen=True, kw_only=True)
class Neat(WeighedPressure, Generic[G]):
    """Evolution of structures and weights, from minimal ones on, in species (Stanley and Miikkulainen, 2002).

    `stagnation` counts under `pressure=fitness` alone, and `rho` under all others. `threshold` is a distance of the
    space; `species` is a wanted number, or None for a fixed threshold.
    """

    space: NeatSpace[G]
    population_size: int = 150
    speciation: bool = True
    species: int | None = 6
    threshold: float = 3.0
    stagnation: int = 15
    champion_size: int = 5
    survival_fraction: float = 0.2
    crossover_probability: float = 0.75
    interspecies_probability: float = 0.001

    def __post_init__(self) -> None:
        size = self.population_size
        whole("population_size", size, least=2)
        switch("speciation", self.speciation)
        whole("species", self.species, least=1, optional=True)
        if self.species is not None:
            require(self.species <= size, "species", self.species, f"is more than strategy.population_size={size}")
        within("threshold", self.threshold, interval=f"[{STEP}, 1000]")
        whole("stagnation", self.stagnation, least=1)
        whole("champion_size", self.champion_size, least=1)
        within("survival_fraction", self.survival_fraction, interval="(0, 1]")
        within("crossover_probability", self.crossover_probability, interval="[0, 1]")
        within("interspecies_probability", self.interspecies_probability, interval="[0, 1]")
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
        return Population((), (), self.threshold)

    def ask(self, state: Population[G], rng: Random) -> tuple[list[Proposal[G]], Population[G]]:
        """A generation without the champions."""
        if not state.members:
            samples = [Proposal(self.space.sample(rng), operator="sample") for _ in range(self.population_size)]
            return samples, state
        survivors = {one.id: self._survivors(state, one.id) for one in state.species}
        proposals = []
        for id, count in self._offspring(state).items():
            n_champions = len(self._champions(state, id, count))
            proposals += [self._child(survivors, id, rng) for _ in range(count - n_champions)]
        return proposals, state

    def tell(self, state: Population[G], told: Sequence[Evaluation[G]], rng: Random) -> Population[G]:
        """The champions and the children that succeeded, in species."""
        champions = [
            champion for id, count in self._offspring(state).items() for champion in self._champions(state, id, count)
        ]
        fitnesses = {one.id: -one.losses[0] for one in told if one.losses is not None}
        children = [Member(one.id, one.genome, fitnesses[one.id], -1, 0.0) for one in told if one.id in fitnesses]
        members = [*champions, *children[: self.population_size - len(champions)]]
        behaviours = pressure.judged(self, state.behaviours, told, [member.id for member in members], rng)
        own = {member.id: -member.fitness for member in members}
        losses = pressure.losses(self, behaviours, own)
        judged = [replace(member, worth=-losses[member.id]) for member in members]
        return replace(self._speciated(state, judged, rng), behaviours=behaviours)

    def population(self, state: Population[G]) -> tuple[int, ...]:
        """All members."""
        return tuple([member.id for member in state.members])

    def figures(self, state: Population[G]) -> Mapping[str, Json]:
        """Of the members: species sizes by id, threshold, mean and best fitness, links and hidden nodes if counted (the
        best are the fittest, whatever the pressure); and `pressure.figures`."""
        sizes: dict[str, Json] = {str(one.id): len(_of(state.members, one.id)) for one in state.species}
        fitnesses = [member.fitness for member in state.members]
        found: dict[str, Json] = {
            "generation": state.generation,
            "n_species": len(sizes),
            "species": sizes,
            "threshold": state.threshold,
            "mean_fitness": fmean(fitnesses) if fitnesses else None,
            "best_fitness": max(fitnesses, default=None),
        }
        if isinstance(self.space, Sized) and state.members:
            fittest = sorted(state.members, key=lambda member: (-member.fitness, member.id))
            counts = [self.space.sizes(member.genome) for member in fittest]
            found["best_sizes"] = dict(counts[0])
            found["mean_sizes"] = {name: fmean(count[name] for count in counts) for name in counts[0]}
        return {**found, **pressure.figures(self, state.behaviours)}

    def _speciated(self, state: Population[G], members: Sequence[Member[G]], rng: Random) -> Population[G]:
        """The members in the species that may go on and in new ones; the threshold then follows a wanted number."""
        known = [one for one in state.species if not self._stagnant(state, one)]
        representatives = [rng.choice(_of(state.members, one.id)).genome for one in known]
        genomes, threshold = [member.genome for member in members], state.threshold
        if self.species is not None and members and not state.members:
            threshold = settled(genomes, threshold, self.species, self.space.distance, first=True)
        if self.speciation:
            labels, every = joined(genomes, representatives, threshold, self.space.distance, first=True)
        else:
            labels, every = [0] * len(genomes), representatives or genomes[:1]
        ids = [*[one.id for one in known], *range(state.next_species, state.next_species + len(every) - len(known))]
        placed = [replace(member, species=ids[label]) for member, label in zip(members, labels, strict=True)]
        records = {one.id: one for one in known}
        living = [
            _recorded(records.get(id), id, max(member.fitness for member in inside), state.generation)
            for id in ids
            if (inside := _of(placed, id))
        ]
        if self.species is not None and state.members and living:
            threshold = nudged(threshold, len(living), self.species)
        next_species = state.next_species + len(every) - len(known)
        return Population(tuple(placed), tuple(living), threshold, state.generation + 1, next_species)

    def _offspring(self, state: Population[G]) -> dict[int, int]:
        """How many of the next generation each species has, champions included; empty without members."""
        if not state.members:
            return {}
        least = min(0.0, *[member.worth for member in state.members])
        able = [one.id for one in state.species if not self._stagnant(state, one)]
        shared = {id: fmean(member.worth - least for member in _of(state.members, id)) for id in able}
        if not any(shared.values()):
            shared = dict.fromkeys(able, 1.0)
        return offspring_counts(shared, self.population_size, _best_first(state.members)[0].species)

    def _stagnant(self, state: Population[G], species: Species) -> bool:
        since = state.generation - 1 - species.improved
        best = _best_first(state.members)[0]
        counts = self.speciation and self.pressure == FITNESS
        return counts and since >= self.stagnation and best.species != species.id

    def _champions(self, state: Population[G], species: int, count: int) -> list[Member[G]]:
        members = _best_first(_of(state.members, species))
        return members[:1] if count and len(members) > self.champion_size else []

    def _survivors(self, state: Population[G], species: int) -> list[Member[G]]:
        members = _best_first(_of(state.members, species))
        return members[: ceil(self.survival_fraction * len(members))]

    def _child(self, survivors: Mapping[int, Sequence[Member[G]]], species: int, rng: Random) -> Proposal[G]:
        """Of two parents where both draws say so and there is another one, else of one; mutated."""
        mother = rng.choice(survivors[species])
        genome, parents = mother.genome, [mother]
        if rng.random() < self.crossover_probability:
            abroad = rng.random() < self.interspecies_probability
            there = [id for id in survivors if abroad == (id != species)]
            others = [one for id in there for one in survivors[id] if one is not mother]
            if others:
                parents.append(rng.choice(others))
                genome = self._recombined(mother, parents[1], rng)
        operator = "crossover+mutation" if len(parents) > 1 else "mutation"
        ids = tuple([parent.id for parent in parents])
        return Proposal(self.space.mutate(genome, rng), parents=ids, operator=operator)

    def _recombined(self, mother: Member[G], father: Member[G], rng: Random) -> G:
        if mother.worth == father.worth or not isinstance(self.space, Aligned):
            return self.space.recombine([mother.genome, father.genome], rng)
        fitter, other = sorted((mother, father), key=lambda member: member.worth, reverse=True)
        child: G = self.space.recombine_unequal(fitter.genome, other.genome, rng)
        return child


def _of(members: Sequence[Member[G]], species: int) -> list[Member[G]]:
    return [member for member in members if member.species == species]


def _best_first(members: Sequence[Member[G]]) -> list[Member[G]]:
    """By worth, of equal ones the elder first."""
    return sorted(members, key=lambda member: (-member.worth, member.id))


def _recorded(known: Species | None, id: int, best: float, generation: int) -> Species:
    """The species after a generation."""
    return Species(id, best, generation) if known is None or best > known.best else known
