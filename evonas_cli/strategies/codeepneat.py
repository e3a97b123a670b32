"""CoDeepNEAT: modules and blueprints evolve together (Miikkulainen et al., Evolving Deep Neural Networks, 2017).

    each generation: assemble networks (every blueprint in turn; for every species that it names one module, drawn
    uniformly); train them; the fitness of a module or blueprint is the mean over the networks that contained it; then
    breed both populations, each with species of its own (evolution/breeding.py), modules first.

Fitness is minus the first loss. A network that fails lowers no fitness; a part that was in no successful network has no
fitness of this generation, and is no parent unless it has one from before. `unused: keep` leaves it at that, `force`
lets a part that was in no network, but could have been, live on in place of an offspring and be drawn first in the
next generation. Pointers
to a species that died move to the living species whose representative is nearest. An elite blueprint is changed by
this, and by nothing else.

Beside the paper: ranks instead of fitness are shared (evolution/speciation.py). Asked again before it is told (a window
above 1), it assembles the same generation once more; what is told of a generation already bred from comes too late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from random import Random
from typing import Generic, Literal

from evonas_cli.core.checks import one_of, require, switch, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution.breeding import Breeding, Kind, Part, Population, credit
from evonas_cli.evolution.neat import GraphLoci, MutationRates
from evonas_cli.evolution.speciation import Distance, Species
from evonas_cli.genomes.capabilities import Modular
from evonas_cli.genomes.marked_graph import MarkedGraph, NodeGene, active, pointer, pointers


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a network was assembled of: a blueprint's id, and a module's id for each species that it names."""

    blueprint: int
    modules: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """The networks of one ask, and the generation that they were assembled from."""

    generation: int
    recipes: tuple[Recipe, ...]


@dataclass(frozen=True, slots=True)
class Coevolution:
    """Both populations, what is asked but not told, and what was told last: candidates, best first, failed last."""

    modules: Population
    blueprints: Population
    generation: int = 0
    pending: tuple[Batch, ...] = ()
    told: tuple[int, ...] = ()
    fitnesses: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CoDeepNeat(Generic[G]):
    """Co-evolution of modules and of blueprints that point to species of modules (Miikkulainen et al., 2017).

    `module_species` and `blueprint_species` are wanted numbers. Probabilities of `add_node` and `add_link` are for each
    graph, of `gene` for each gene of a node and each global gene, of `switch` for each pointer of a blueprint.
    """

    space: Modular[G]
    module_population: int = 45
    module_species: int = 4
    blueprint_population: int = 25
    blueprint_species: int = 1
    assemblies: int = 100
    allow_unassembled: bool = False
    unused: Literal["keep", "force"] = "keep"
    elitism: int = 1
    survival_fraction: float = 0.3
    crossover_probability: float = 0.75
    add_node_probability: float = 0.1
    add_link_probability: float = 0.1
    gene_probability: float = 0.2
    gene_scale: float = 0.2
    switch_probability: float = 0.15
    unmatched_coefficient: float = 3.0
    gene_coefficient: float = 3.0
    threshold: float = 1.0

    def __post_init__(self) -> None:
        self._breeding(self.gene_probability)
        for population, species in (
            ("module_population", "module_species"),
            ("blueprint_population", "blueprint_species"),
        ):
            size, wanted = getattr(self, population), getattr(self, species)
            whole(population, size, least=2)
            whole(species, wanted, least=1)
            require(wanted <= size, species, wanted, f"is more species than strategy.{population}={size}")
            require(self.elitism < size, "elitism", self.elitism, f"is not below strategy.{population}={size}")
        whole("assemblies", self.assemblies, least=1)
        switch("allow_unassembled", self.allow_unassembled)
        if self.assemblies < self.blueprint_population and not self.allow_unassembled:
            raise UsageError(
                f"strategy.assemblies={self.assemblies} is fewer than strategy.blueprint_population="
                f"{self.blueprint_population}; raise it, or set strategy.allow_unassembled=true"
            )
        one_of("unused", self.unused, names=("keep", "force"))
        for name in ("add_node", "add_link", "gene", "switch"):
            within(f"{name}_probability", getattr(self, f"{name}_probability"), interval="[0, 1]")
        within("gene_scale", self.gene_scale, interval="(0, inf)")

    @property
    def demands(self) -> Demands:
        """Networks of a blueprint and modules."""
        return Demands(space=(Modular,))

    @property
    def least_evaluations(self) -> int:
        """One generation."""
        return self.assemblies

    def init(self, rng: Random) -> Coevolution:
        """Both populations from the space's prior, in species."""
        modules = self._modules().found(rng)
        return Coevolution(modules, self._blueprints(modules).found(rng))

    def ask(self, state: Coevolution, rng: Random) -> tuple[list[Proposal[G]], Coevolution]:
        """A generation of assembled networks."""
        recipes = assemble(state, self.assemblies, rng)
        modules = {part.id: part for part in state.modules.parts}
        blueprints = {part.id: part for part in state.blueprints.parts}
        proposals = []
        for recipe in recipes:
            parts = [blueprints[recipe.blueprint], *[modules[id] for _, id in recipe.modules]]
            graphs = {species: modules[id].graph for species, id in recipe.modules}
            genome = self.space.assemble(blueprints[recipe.blueprint].graph, graphs)
            ancestors = sorted({id for part in parts for id in part.ancestors})
            proposals.append(Proposal(genome, parents=tuple(ancestors), operator="assembly"))
        return proposals, replace(state, pending=(*state.pending, Batch(state.generation, tuple(recipes))))

    def tell(self, state: Coevolution, told: Sequence[Evaluation[G]], rng: Random) -> Coevolution:
        """Credits the parts and breeds the next generation of both populations."""
        batch, *pending = state.pending
        by_fitness = sorted(told, key=lambda network: inf if network.losses is None else network.losses[0])
        state = replace(
            state,
            pending=tuple(pending),
            told=tuple([network.id for network in by_fitness]),
            fitnesses=tuple([-network.losses[0] for network in told if network.losses is not None]),
        )
        if batch.generation < state.generation:
            return state
        modules, blueprints = attribute(state, batch, told)
        used_modules, used_blueprints = contained(state.blueprints, batch)
        used_modules |= unreachable(state)
        generation, kind = state.generation + 1, self._modules()
        bred = self._breed(kind, modules, used_modules, generation, rng)
        pointing = redirect(blueprints, modules.species, bred.species, kind.breeding.distance(kind.loci))
        rebred = self._breed(self._blueprints(bred), pointing, used_blueprints, generation, rng)
        return replace(state, modules=bred, blueprints=rebred, generation=generation)

    def population(self, state: Coevolution) -> tuple[int, ...]:
        """The networks told last, best first, failed ones last."""
        return state.told

    def figures(self, state: Coevolution) -> Mapping[str, Json]:
        """Of the generation told last its mean and best fitness and failures; of the living both populations."""
        fitnesses = state.fitnesses
        return {
            "generation": state.generation,
            "mean_fitness": sum(fitnesses) / len(fitnesses) if fitnesses else None,
            "best_fitness": max(fitnesses, default=None),
            "n_failed": len(state.told) - len(fitnesses),
            "modules": state.modules.figures(),
            "blueprints": state.blueprints.figures(),
        }

    def _breed(self, kind: Kind, population: Population, used: set[int], generation: int, rng: Random) -> Population:
        waiting = []
        if self.unused == "force":
            waiting = [part for part in population.parts if part.id not in used and part.fitness is None]
        children = kind.offspring(population, len(waiting), rng)
        elites = kind.elites(population, len(waiting))
        return kind.regroup(population, [*elites, *waiting], children, generation, rng)

    def _breeding(self, node_probability: float) -> Breeding:
        rates = MutationRates(
            add_node=self.add_node_probability,
            add_link=self.add_link_probability,
            node_gene=node_probability,
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

    def _modules(self) -> Kind:
        loci, breeding = GraphLoci(tuple(self.space.node_loci)), self._breeding(self.gene_probability)
        return Kind(self.module_population, self.module_species, loci, self.space.draw_module, breeding)

    def _blueprints(self, modules: Population) -> Kind:
        living = [species.id for species in modules.species]
        loci = GraphLoci(pointers(living), tuple(self.space.global_loci))
        draw: Callable[[Random], MarkedGraph] = lambda rng: self.space.draw_blueprint(living, rng)  # noqa: E731
        breeding = self._breeding(self.switch_probability)
        return Kind(self.blueprint_population, self.blueprint_species, loci, draw, breeding)


def assemble(state: Coevolution, n: int, rng: Random) -> list[Recipe]:
    """`n` recipes: the blueprints in turn, each round in random order; one module for each species that one names.

    Parts that have waited since an earlier generation come first, each once; others are drawn uniformly.
    """
    waiting = {part.id for part in state.modules.parts if waits(part, state.generation)}
    recipes: list[Recipe] = []
    while len(recipes) < n:
        order = rng.sample(state.blueprints.parts, len(state.blueprints.parts))
        order.sort(key=lambda part: not waits(part, state.generation))
        for blueprint in order[: n - len(recipes)]:
            chosen = []
            for species in sorted({pointer(node) for node in blueprint.graph.nodes}):
                members = [part.id for part in state.modules.parts if part.species == species]
                id = rng.choice([id for id in members if id in waiting] or members)
                waiting.discard(id)
                chosen.append((species, id))
            recipes.append(Recipe(blueprint.id, tuple(chosen)))
    return recipes


def waits(part: Part, generation: int) -> bool:
    """Whether a part is older than the generation and was never judged."""
    return part.fitness is None and part.generation < generation


def contained(blueprints: Population, batch: Batch) -> tuple[set[int], set[int]]:
    """Ids of the modules and blueprints that the networks of a batch contained."""
    graphs = {part.id: part.graph for part in blueprints.parts}
    modules = {id for recipe in batch.recipes for id in built_in(graphs[recipe.blueprint], recipe)}
    return modules, {recipe.blueprint for recipe in batch.recipes}


def unreachable(state: Coevolution) -> set[int]:
    """Ids of the modules that no network could contain: no blueprint points to their species."""
    named = {pointer(node) for part in state.blueprints.parts for node in part.graph.nodes}
    return {part.id for part in state.modules.parts if part.species not in named}


def built_in(blueprint: MarkedGraph, recipe: Recipe) -> set[int]:
    """Ids of the modules that the network really has: those of nodes on a path from input to output."""
    computed = active(blueprint)
    named = {pointer(node) for node in blueprint.nodes if node.mark in computed}
    return {id for species, id in recipe.modules if species in named}


def attribute(state: Coevolution, batch: Batch, told: Sequence[Evaluation[G]]) -> tuple[Population, Population]:
    """Modules and blueprints, each credited once with every network that contained it and did not fail."""
    graphs = {part.id: part.graph for part in state.blueprints.parts}
    modules: dict[int, list[tuple[int, float]]] = {}
    blueprints: dict[int, list[tuple[int, float]]] = {}
    for recipe, network in zip(batch.recipes, told, strict=True):
        if network.losses is None:
            continue
        judged = (network.id, -network.losses[0])
        blueprints.setdefault(recipe.blueprint, []).append(judged)
        for id in built_in(graphs[recipe.blueprint], recipe):
            modules.setdefault(id, []).append(judged)
    return credit(state.modules, modules), credit(state.blueprints, blueprints)


def redirect(
    blueprints: Population, before: Sequence[Species], now: Sequence[Species], distance: Distance
) -> Population:
    """The blueprints with pointers to species that died moved to the nearest living one, by representatives."""
    moved = {species.id: species.id for species in now}
    for species in before:
        if species.id not in moved:
            distances = {other.id: distance(species.representative, other.representative) for other in now}
            moved[species.id] = min(distances, key=distances.__getitem__)

    def move(graph: MarkedGraph) -> MarkedGraph:
        return replace(graph, nodes=tuple([NodeGene(node.mark, (moved[pointer(node)],)) for node in graph.nodes]))

    return replace(blueprints, parts=tuple([replace(part, graph=move(part.graph)) for part in blueprints.parts]))
