"""CoDeepNEAT: modules and blueprints evolve together (Miikkulainen et al., Evolving Deep Neural Networks, 2017).

    each generation: assemble networks (every blueprint in turn; for every species that it names one module, drawn
    at random); train them; the fitness of a module or blueprint is the mean over the networks that contained it; then
    breed both populations, each with species of its own (evolution/breeding.py), modules first.

Fitness is minus the first loss. With `several: pareto` every objective is averaged, and a population is ranked by
front, then by crowding (as in Liang et al., Evolutionary Neural AutoML for Deep Learning, 2019). A network that fails
lowers no fitness; a part that was in no successful network has no fitness of this generation, and is no parent unless
it has one from before. `unused: keep` leaves it at that, `force` lets a part that was in no network, but could have
been, live on in place of an offspring and be drawn first in the next generation. Pointers to a species that died move
to the living species whose representative is nearest. An elite blueprint is changed by this, and by nothing else.

Beside the paper, for populations far smaller than its own: the modules of a species take turns, so that few are in no
network and no network is trained twice in a generation; and a new species that no blueprint names gets a pointer of a
child, since its modules would be in no network. Ranks instead of fitness are shared (evolution/speciation.py). Asked
again before it is told (a window above 1), it assembles the same generation once more; what is told of a generation
already bred from comes too late.

`pressure` (evolution/pressure.py) credits modules and blueprints with the worth of networks in the place of their
fitness: rho z(fitness) + (1 - rho) z(bonus) among the networks told together, or with `several: pareto` the bonus as
one more objective. A part that was in no network keeps the worth of an earlier generation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, Generic, Literal

from evonas_cli.core.checks import one_of, require, switch, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution import pressure
from evonas_cli.evolution.assembling import (
    Batch,
    Coevolution,
    assemble,
    attribute,
    contained,
    naming,
    redirect,
    unreachable,
)
from evonas_cli.evolution.behaviour import Behaviours
from evonas_cli.evolution.breeding import Breeding, Kind, Population, by_front
from evonas_cli.evolution.neat import GraphLoci, MutationRates
from evonas_cli.evolution.nondominated import best_first
from evonas_cli.evolution.pressure import FITNESS, WeighedPressure
from evonas_cli.genomes.capabilities import Modular
from evonas_cli.genomes.marked_graph import MarkedGraph, pointers


@dataclass(frozen=True, kw_only=True)
class CoDeepNeat(WeighedPressure, Generic[G]):
    """Co-evolution of modules and of blueprints that point to species of modules (Miikkulainen et al., 2017).

    `module_species` and `blueprint_species` are wanted numbers. Probabilities of `add_node` and `add_link` are for each
    graph, of `gene` for each gene of a node and each global gene, of `switch` for each pointer of a blueprint.
    """

    original_cost: ClassVar[str] = "100 networks in each of 72 generations on CIFAR-10 (Miikkulainen et al., 2017)"

    space: Modular[G]
    module_population: int = 45
    module_species: int = 4
    blueprint_population: int = 25
    blueprint_species: int = 1
    assemblies: int = 100
    allow_unassembled: bool = False
    unused: Literal["keep", "force"] = "keep"
    several: Literal["first", "pareto"] = "first"
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
        one_of("several", self.several, names=("first", "pareto"))
        for name in ("add_node", "add_link", "gene", "switch"):
            within(f"{name}_probability", getattr(self, f"{name}_probability"), interval="[0, 1]")
        within("gene_scale", self.gene_scale, interval="(0, inf)")
        pressure.check(self, self.assemblies, "assemblies={}")

    @property
    def demands(self) -> Demands:
        """Networks of a blueprint and modules; a descriptor where behaviour counts."""
        several: Literal["first", "all"] = "first" if self.several == "first" else "all"
        return Demands(space=(Modular,), objectives=several, descriptor=self.pressure != FITNESS)

    @property
    def least_evaluations(self) -> int:
        """One generation."""
        return self.assemblies

    def init(self, rng: Random) -> Coevolution:
        """Both populations from the space's prior, in species."""
        modules = self._modules().found(rng)
        return Coevolution(modules, naming(self._blueprints(modules).found(rng), modules, 0, rng))

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
        fitnesses = tuple([-network.losses[0] for network in told if network.losses is not None])
        able = [network.id for network in told if network.losses is not None]
        behaviours = pressure.judged(self, state.behaviours, told, able, rng)
        told = self._judged(behaviours, told)
        state = replace(
            state, pending=tuple(pending), told=self._best_first(told), fitnesses=fitnesses, behaviours=behaviours
        )
        if batch.generation < state.generation:
            return state
        modules, blueprints = attribute(state, batch, told)
        if self.several == "pareto":
            modules, blueprints = by_front(modules), by_front(blueprints)
        used_modules, used_blueprints = contained(state.blueprints, batch)
        used_modules |= unreachable(state)
        generation, kind = state.generation + 1, self._modules()
        bred = self._breed(kind, modules, used_modules, generation, rng)
        pointing = redirect(blueprints, modules.species, bred.species, kind.breeding.distance(kind.loci))
        rebred = self._breed(self._blueprints(bred), pointing, used_blueprints, generation, rng)
        return replace(state, modules=bred, blueprints=naming(rebred, bred, generation, rng), generation=generation)

    def population(self, state: Coevolution) -> tuple[int, ...]:
        """The networks told last, best first, failed ones last."""
        return state.told

    def figures(self, state: Coevolution) -> Mapping[str, Json]:
        """Of the generation told last its mean and best fitness and failures; of the living both populations; and
        `pressure.figures`."""
        fitnesses = state.fitnesses
        return {
            "generation": state.generation,
            "mean_fitness": sum(fitnesses) / len(fitnesses) if fitnesses else None,
            "best_fitness": max(fitnesses, default=None),
            "n_failed": len(state.told) - len(fitnesses),
            "modules": state.modules.figures(),
            "blueprints": state.blueprints.figures(),
            **pressure.figures(self, state.behaviours),
        }

    def _judged(self, behaviours: Behaviours, told: Sequence[Evaluation[G]]) -> Sequence[Evaluation[G]]:
        """The networks with what they are credited by in the place of their losses."""
        own = {network.id: network.losses for network in told if network.losses is not None}
        if self.several == "pareto":
            losses = pressure.objectives(self, behaviours, own)
        elif self.pressure == FITNESS:
            losses = own
        else:
            weighed = pressure.losses(self, behaviours, {id: loss[0] for id, loss in own.items()})
            losses = {id: (loss,) for id, loss in weighed.items()}
        return [replace(network, losses=losses.get(network.id)) for network in told]

    def _best_first(self, told: Sequence[Evaluation[G]]) -> tuple[int, ...]:
        judged = [(network.id, network.losses) for network in told if network.losses is not None]
        ranked = best_first([losses if self.several == "pareto" else losses[:1] for _, losses in judged])
        failed = [network.id for network in told if network.losses is None]
        return (*[judged[place][0] for place in ranked], *failed)

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
