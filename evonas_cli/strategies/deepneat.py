"""DeepNEAT: NEAT whose nodes are layers (Miikkulainen et al., 2017), which is CoDeepNEAT without blueprints.

    generation 0: networks from the prior; then each generation: in each species keep the best as they are, breed the
    rest from the best `survival_fraction`; who belongs to which species is decided once the children are measured.

Fitness is minus the first loss. The elites are not measured again. A failed network is no parent; where no network can
be one, networks are drawn from the prior. Ranks instead of fitness are shared (evolution/speciation.py). A generation
may be asked before the one before it is told (the run's window): it breeds from the population told so far, and when it
is told its last networks leave if it is too large beside the elites. `pressure` (evolution/pressure.py) puts worth,
rho z(fitness) + (1 - rho) z(bonus) among the living networks, in the place of fitness for parents, elites and places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean
from typing import Generic

from evonas_cli.core.checks import require, whole, within
from evonas_cli.core.codec import later
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution import pressure
from evonas_cli.evolution.behaviour import Behaviours
from evonas_cli.evolution.breeding import Breeding, Kind, Part, Population
from evonas_cli.evolution.neat import GraphLoci, MutationRates
from evonas_cli.evolution.pressure import FITNESS, WeighedPressure
from evonas_cli.genomes import choices
from evonas_cli.genomes.capabilities import Modular
from evonas_cli.genomes.marked_graph import MarkedGraph, minimal

SPECIES = 0
"""What the one node of every blueprint points to."""


@dataclass(frozen=True, slots=True)
class Networks:
    """The population told so far, the children asked but not told, by batch, and what is remembered of behaviours."""

    population: Population
    generation: int = 0
    pending: tuple[tuple[Part, ...], ...] = ()
    behaviours: Behaviours = later(Behaviours)


@dataclass(frozen=True, kw_only=True)
class DeepNeat(WeighedPressure, Generic[G]):
    """Evolution of layer graphs with historical markings and species (Miikkulainen et al., 2017).

    `species` is a wanted number. Probabilities: `add_node` and `add_link` for each graph, `gene` for each gene of a
    node and each global gene.
    """

    space: Modular[G]
    population_size: int = 100
    species: int = 4
    elitism: int = 1
    survival_fraction: float = 0.3
    crossover_probability: float = 0.75
    add_node_probability: float = 0.1
    add_link_probability: float = 0.1
    gene_probability: float = 0.2
    gene_scale: float = 0.2
    unmatched_coefficient: float = 3.0
    gene_coefficient: float = 3.0
    threshold: float = 1.0

    def __post_init__(self) -> None:
        self._breeding()
        size = self.population_size
        whole("population_size", size, least=2)
        whole("species", self.species, least=1)
        require(self.species <= size, "species", self.species, f"is more than strategy.population_size={size}")
        require(self.elitism < size, "elitism", self.elitism, f"is not below strategy.population_size={size}")
        for name in ("add_node", "add_link", "gene"):
            within(f"{name}_probability", getattr(self, f"{name}_probability"), interval="[0, 1]")
        within("gene_scale", self.gene_scale, interval="(0, inf)")
        pressure.check(self, size)

    @property
    def demands(self) -> Demands:
        """Networks of modules, of which each has one here; a descriptor where behaviour counts."""
        return Demands(space=(Modular,), descriptor=self.pressure != FITNESS)

    @property
    def least_evaluations(self) -> int:
        """Generation 0."""
        return self.population_size

    def init(self, rng: Random) -> Networks:
        """No candidate."""
        return Networks(Population(threshold=self.threshold))

    def ask(self, state: Networks, rng: Random) -> tuple[list[Proposal[G]], Networks]:
        """A generation: what the elites leave room for."""
        kind = self._kind()
        children = kind.offspring(self._judged(state), 0, rng)
        proposals = [
            Proposal(self._network(child.graph), parents=child.ancestors, operator=_operator(child))
            for child in children
        ]
        return proposals, replace(state, pending=(*state.pending, tuple(children)))

    def tell(self, state: Networks, told: Sequence[Evaluation[G]], rng: Random) -> Networks:
        """The elites and the children, in species."""
        kind, known = self._kind(), {part.id: part for part in state.population.parts}
        elites = [replace(elite, fitness=known[elite.id].fitness) for elite in kind.elites(self._judged(state))]
        batch, *pending = state.pending
        children = []
        for child, network in zip(batch, told, strict=True):
            fitness = None if network.losses is None else -network.losses[0]
            children.append(replace(child, fitness=fitness, best=network.id))
        room = kind.size - len(elites)
        generation = state.generation + 1
        population = kind.regroup(state.population, elites, children[:room], generation, rng)
        behaviours = pressure.judged(self, state.behaviours, told, _losses(population), rng)
        return Networks(population, generation, tuple(pending), behaviours)

    def population(self, state: Networks) -> tuple[int, ...]:
        """Elites first, failed networks included."""
        return tuple([part.best for part in state.population.parts if part.best is not None])

    def figures(self, state: Networks) -> Mapping[str, Json]:
        """Of the population: mean and best fitness, failures, species sizes, threshold, mean number of nodes; and
        `pressure.figures`."""
        fitnesses = [part.fitness for part in state.population.parts if part.fitness is not None]
        return {
            "generation": state.generation,
            "mean_fitness": fmean(fitnesses) if fitnesses else None,
            "best_fitness": max(fitnesses, default=None),
            "n_failed": len(state.population.parts) - len(fitnesses),
            "networks": state.population.figures(),
            **pressure.figures(self, state.behaviours),
        }

    def _judged(self, state: Networks) -> Population:
        """The population with worth in the place of fitness."""
        losses = pressure.losses(self, state.behaviours, _losses(state.population))
        parts = [
            part if part.fitness is None or part.best is None else replace(part, fitness=-losses[part.best])
            for part in state.population.parts
        ]
        return replace(state.population, parts=tuple(parts))

    def _network(self, graph: MarkedGraph) -> G:
        blueprint = minimal((SPECIES,), graph.genes)
        return self.space.assemble(blueprint, {SPECIES: replace(graph, genes=())})

    def _kind(self) -> Kind:
        loci = GraphLoci(tuple(self.space.node_loci), tuple(self.space.global_loci))
        return Kind(self.population_size, self.species, loci, self._draw, self._breeding())

    def _breeding(self) -> Breeding:
        rates = MutationRates(
            add_node=self.add_node_probability,
            add_link=self.add_link_probability,
            node_gene=self.gene_probability,
            graph_gene=self.gene_probability,
            scale=self.gene_scale,
        )
        return Breeding(
            elitism=self.elitism,
            survival_fraction=self.survival_fraction,
            crossover_probability=self.crossover_probability,
            rates=rates,
            unmatched_coefficient=self.unmatched_coefficient,
            gene_coefficient=self.gene_coefficient,
            threshold=self.threshold,
        )

    def _draw(self, rng: Random) -> MarkedGraph:
        module = self.space.draw_module(rng)
        return replace(module, genes=choices.sample(self.space.global_loci, rng))


def _losses(population: Population) -> dict[int, float]:
    """The losses of the networks that succeeded, by candidate."""
    return {part.best: -part.fitness for part in population.parts if part.fitness is not None and part.best is not None}


def _operator(child: Part) -> str:
    return ("sample", "mutation", "crossover+mutation")[len(child.ancestors)]
