"""What CoDeepNEAT's two populations have with each other: assembly, credit, and pointers to species of modules.

Source: Miikkulainen et al., Evolving Deep Neural Networks, 2017, of which strategies/codeepneat.py is the algorithm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from evonas_cli.core.codec import later
from evonas_cli.core.types import Evaluation, G
from evonas_cli.evolution.behaviour import Behaviours
from evonas_cli.evolution.breeding import Part, Population, credit
from evonas_cli.evolution.speciation import Distance, Species
from evonas_cli.genomes.marked_graph import MarkedGraph, NodeGene, active, pointer


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
    """Both populations, what is asked but not told, and what was told last: candidates, best first, failed last.

    `behaviours` is empty where networks count by their fitness alone.
    """

    modules: Population
    blueprints: Population
    generation: int = 0
    pending: tuple[Batch, ...] = ()
    told: tuple[int, ...] = ()
    fitnesses: tuple[float, ...] = ()
    behaviours: Behaviours = later(Behaviours)


def assemble(state: Coevolution, n: int, rng: Random) -> list[Recipe]:
    """`n` recipes: the blueprints in turn, each round in random order; one module for each species that one names.

    Every module of a species is as likely as any other, but none is drawn again while another one has been drawn less
    often: first by the same blueprint, then in the generation. Parts that have waited since an earlier generation come
    first.
    """
    waiting = {part.id for part in state.modules.parts if waits(part, state.generation)}
    met, uses = Counter[tuple[int, int]](), Counter[int]()
    recipes: list[Recipe] = []
    while len(recipes) < n:
        order = rng.sample(state.blueprints.parts, len(state.blueprints.parts))
        order.sort(key=lambda part: not waits(part, state.generation))
        for blueprint in order[: n - len(recipes)]:
            chosen = []
            for species in sorted({pointer(node) for node in blueprint.graph.nodes}):
                members = [part.id for part in state.modules.parts if part.species == species]
                ranked = [(met[blueprint.id, id], uses[id], id not in waiting, rng.random(), id) for id in members]
                id = min(ranked)[-1]
                met[blueprint.id, id] += 1
                uses[id] += 1
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
    modules: dict[int, list[tuple[int, tuple[float, ...]]]] = {}
    blueprints: dict[int, list[tuple[int, tuple[float, ...]]]] = {}
    for recipe, network in zip(batch.recipes, told, strict=True):
        if network.losses is None:
            continue
        judged = (network.id, network.losses)
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


def naming(blueprints: Population, modules: Population, generation: int, rng: Random) -> Population:
    """The blueprints with one pointer moved to each species of modules that none of them names.

    The pointer is drawn among those of the generation's children whose own species is named elsewhere, too; where there
    is none, the species stays without.
    """
    graphs = {part.id: part.graph for part in blueprints.parts}
    children = [part.id for part in blueprints.parts if part.generation == generation]
    for species in modules.species:
        uses = Counter(pointer(node) for graph in graphs.values() for node in graph.nodes)
        free = [(id, node.mark) for id in children for node in graphs[id].nodes if uses[pointer(node)] > 1]
        if species.id in uses or not free:
            continue
        id, mark = rng.choice(free)
        nodes = [NodeGene(mark, (species.id,)) if node.mark == mark else node for node in graphs[id].nodes]
        graphs[id] = replace(graphs[id], nodes=tuple(nodes))
    return replace(blueprints, parts=tuple([replace(part, graph=graphs[part.id]) for part in blueprints.parts]))
