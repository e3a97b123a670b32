"""A speciated population of marked graphs: crediting, truncation and elitism inside species, and the next generation.

Shared by CoDeepNEAT, which has two of them, and DeepNEAT (Miikkulainen et al., 2017). Everything here is a value; ids
of parts and species count up and are never used again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import ceil, inf
from random import Random
from statistics import fmean

from evonas_cli.core.checks import whole, within
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.evolution.neat import GraphLoci, MutationRates, change, crossover, distance, mutate
from evonas_cli.evolution.nondominated import preferences
from evonas_cli.evolution.speciation import (
    STEP,
    Distance,
    Species,
    nudged,
    offspring_counts,
    settled,
    shared_fitness,
    speciate,
)
from evonas_cli.genomes.marked_graph import MarkedGraph, n_active


@dataclass(frozen=True, slots=True)
class Part:
    """A member: its graph, its species and what is known of it.

    `fitness` is None until a network with it succeeds. `generation` is that of its birth. `best` is the candidate in
    which it did best in the generation judged last, `ancestors` those in which its parents did. `losses` has what its
    networks lost on average, by objective.
    """

    id: int
    graph: MarkedGraph
    species: int = -1
    fitness: float | None = None
    generation: int = 0
    best: int | None = None
    ancestors: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Population:
    """The living parts, elites first; the living species by id; the threshold between them; the next free ids."""

    parts: tuple[Part, ...] = ()
    species: tuple[Species, ...] = ()
    threshold: float = 1.0
    next_part: int = 0
    next_species: int = 0

    def sizes(self) -> dict[int, int]:
        """Number of members by species id."""
        sizes = {species.id: 0 for species in self.species}
        for part in self.parts:
            sizes[part.species] += 1
        return sizes

    def figures(self) -> dict[str, Json]:
        """Species sizes by id, threshold, and mean number of nodes that are computed."""
        nodes = fmean(n_active(part.graph) for part in self.parts) if self.parts else 0.0
        sizes: dict[str, Json] = {str(species): size for species, size in self.sizes().items()}
        return {"species": sizes, "threshold": self.threshold, "mean_nodes": nodes}


@dataclass(frozen=True, slots=True)
class Breeding:
    """How a generation comes from the one before. Raises UsageError, naming `strategy.<key>`, for values out of range.

    `elitism` best of each species live on unchanged; the parents of a species are its best `survival_fraction`.
    `rates` are those of ordinary mutation, the coefficients those of `evolution.neat.distance`.
    """

    elitism: int
    survival_fraction: float
    crossover_probability: float
    rates: MutationRates
    unmatched_coefficient: float
    gene_coefficient: float
    threshold: float

    def __post_init__(self) -> None:
        whole("elitism", self.elitism, least=0)
        within("survival_fraction", self.survival_fraction, interval="(0, 1]")
        within("crossover_probability", self.crossover_probability, interval="[0, 1]")
        within("unmatched_coefficient", self.unmatched_coefficient, interval="[0, 10]")
        within("gene_coefficient", self.gene_coefficient, interval="[0, 10]")
        if self.unmatched_coefficient + self.gene_coefficient == 0:
            raise UsageError(
                "strategy.unmatched_coefficient and strategy.gene_coefficient are both 0; "
                "species need at least one of them above 0"
            )
        within("threshold", self.threshold, interval=f"[{STEP}, 20]")

    def distance(self, loci: GraphLoci) -> Distance:
        """The distance that species are made by."""
        return partial(
            distance,
            loci=loci,
            unmatched_coefficient=self.unmatched_coefficient,
            gene_coefficient=self.gene_coefficient,
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """One of a strategy's populations: its size, the wanted number of species, its genes, and where new graphs come
    from."""

    size: int
    n_species: int
    loci: GraphLoci
    draw: Callable[[Random], MarkedGraph]
    breeding: Breeding = field(repr=False)

    def found(self, rng: Random) -> Population:
        """The first population: graphs from the prior, in about the wanted number of species."""
        parts = [Part(-1, self.draw(rng)) for _ in range(self.size)]
        return self.regroup(Population(threshold=self.breeding.threshold), (), parts, 0, rng)

    def elites(self, population: Population, n_kept: int = 0) -> list[Part]:
        """The best of each species, as they are, as far as their species' places go; at least one place has a child.

        `n_kept` as in `offspring`.
        """
        chosen = []
        for species, (n_elites, _) in self._places(population, self.size - n_kept).items():
            for part in _best_first(population.parts, species)[:n_elites]:
                chosen.append(replace(part, ancestors=() if part.best is None else (part.best,)))
        return chosen

    def offspring(self, population: Population, n_kept: int, rng: Random) -> list[Part]:
        """Children for the places that elites and `n_kept` others leave; from the prior where no part can be a parent.

        They have neither ids nor species yet.
        """
        places = self._places(population, self.size - n_kept)
        if not places:
            return [Part(-1, self.draw(rng)) for _ in range(self.size - n_kept)]
        children = []
        for species, (_, n_children) in places.items():
            judged = _best_first(population.parts, species)
            parents = judged[: ceil(self.breeding.survival_fraction * len(judged))]
            children += [self._child(parents, rng) for _ in range(n_children)]
        return children

    def regroup(
        self, population: Population, kept: Sequence[Part], children: Sequence[Part], generation: int, rng: Random
    ) -> Population:
        """The next population: every part joins the species whose representative, an old member, is nearest.

        Representatives are drawn anew from the members that each species had. The threshold then moves towards the
        wanted number of species, for the generation after this one; for a first population it is settled at once.
        """
        known = []
        for species in population.species:
            members = [part.graph for part in population.parts if part.species == species.id]
            known.append(Species(species.id, rng.choice(members)))
        numbered = [
            replace(child, id=id, generation=generation) for id, child in enumerate(children, population.next_part)
        ]
        parts = [*kept, *numbered]
        graphs, measure = [part.graph for part in parts], self.breeding.distance(self.loci)
        threshold = population.threshold
        if not population.parts:
            threshold = settled(graphs, threshold, self.n_species, measure)
        labels, species_now = speciate(graphs, known, threshold, measure, population.next_species)
        living = [species for species in species_now if species.id in labels]
        return Population(
            tuple([replace(part, species=label) for part, label in zip(parts, labels, strict=True)]),
            tuple(living),
            nudged(threshold, len(living), self.n_species) if population.parts else threshold,
            population.next_part + len(numbered),
            population.next_species + len(species_now) - len(known),
        )

    def _places(self, population: Population, total: int) -> dict[int, tuple[int, int]]:
        """By species its numbers of elites and of children; empty where no part was judged."""
        judged = _best_first(population.parts)
        if not judged:
            return {}
        labels = [part.species for part in population.parts]
        shares = shared_fitness(labels, [part.fitness for part in population.parts])
        counts = offspring_counts(shares, total, judged[0].species)
        elites = [
            part
            for species, count in counts.items()
            for part in _best_first(judged, species)[: min(self.breeding.elitism, count)]
        ]
        if elites and len(elites) == total:
            elites.remove(min(elites, key=_fitness))
        n_elites = {species: sum(part.species == species for part in elites) for species in counts}
        return {species: (n_elites[species], count - n_elites[species]) for species, count in counts.items()}

    def _child(self, parents: Sequence[Part], rng: Random) -> Part:
        first = rng.choice(parents)
        others = [part for part in parents if part is not first]
        family, graph = [first], first.graph
        if others and rng.random() < self.breeding.crossover_probability:
            family.append(rng.choice(others))
            fitter, other = sorted(family, key=_fitness, reverse=True)
            graph = crossover(fitter.graph, other.graph, fitter.fitness == other.fitness, rng)
        child = mutate(graph, self.loci, self.breeding.rates, rng)
        if any(child == parent.graph for parent in family):
            child = change(child, self.loci, self.breeding.rates.scale, rng)
        return Part(-1, child, ancestors=tuple(sorted({part.best for part in family if part.best is not None})))


def credit(population: Population, judged: Mapping[int, Sequence[tuple[int, tuple[float, ...]]]]) -> Population:
    """The population with the losses of each part the means over the networks that contained it.

    `judged` has, by part id, candidate and losses of each network that succeeded. Fitness is minus the first loss. A
    part that is not in it keeps what it had.
    """
    parts = []
    for part in population.parts:
        networks = judged.get(part.id, ())
        if networks:
            best = min(networks, key=lambda network: (network[1][0], network[0]))[0]
            losses = tuple([fmean(values) for values in zip(*[values for _, values in networks], strict=True)])
            part = replace(part, fitness=-losses[0], best=best, losses=losses)
        parts.append(part)
    return replace(population, parts=tuple(parts))


def by_front(population: Population) -> Population:
    """The population with fitness by all losses: the earlier front is fitter, in a front the less crowded part.

    Fitness is 0 for the best and 1 less for each step down (evolution/nondominated.py, Deb et al., 2002); equals stand
    on one step. Parts without losses have none.
    """
    judged = [part for part in population.parts if part.losses]
    keys = preferences([part.losses for part in judged])
    steps = {key: -float(step) for step, key in enumerate(sorted(set(keys)))}
    fitness = {part.id: steps[key] for part, key in zip(judged, keys, strict=True)}
    return replace(population, parts=tuple([replace(part, fitness=fitness.get(part.id)) for part in population.parts]))


def _best_first(parts: Sequence[Part], species: int | None = None) -> list[Part]:
    judged = [part for part in parts if part.fitness is not None and species in (None, part.species)]
    return sorted(judged, key=lambda part: (-_fitness(part), part.id))


def _fitness(part: Part) -> float:
    return -inf if part.fitness is None else part.fitness
