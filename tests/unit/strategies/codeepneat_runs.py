"""Runs of CoDeepNEAT for its tests: a small strategy, a loss that it can lower, and made-up states."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Any

from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation
from evonas_cli.evolution.assembling import Coevolution
from evonas_cli.evolution.breeding import Part, Population
from evonas_cli.evolution.speciation import Species
from evonas_cli.genomes.assembly import Assembly
from evonas_cli.genomes.marked_graph import LinkGene, MarkedGraph, NodeGene, marked_graph, minimal
from evonas_cli.spaces.codeepneat import Assemblies
from evonas_cli.strategies.codeepneat import CoDeepNeat

SPACE = Assemblies(filters=(4, 32), initial_nodes=3)
GENES = ("concat", 0.9, False, 0.01)
SIZES = ("module_population", "module_species", "blueprint_population", "blueprint_species", "assemblies")
SMALL = dict(zip(SIZES, (9, 3, 6, 1, 12), strict=True))
Loss = Callable[[Assembly, int], float | None]


def strategy(**rest: Any) -> CoDeepNeat[Assembly]:
    return CoDeepNeat(space=SPACE, **{**SMALL, **rest})


def wanted_filters(genome: Assembly, id: int) -> float:
    """A loss that modules and blueprints can lower: far from 20 filters is bad, few nodes are bad."""
    nodes = [node for _, module in genome.modules for node in module.nodes]
    return fmean(abs(int(node.genes[0]) - 20) for node in nodes) / 20 + 1 / len(genome.blueprint.nodes)


def run(
    strategy: CoDeepNeat[Assembly],
    generations: int,
    loss: Loss = wanted_filters,
    seed: int = 0,
    second: Callable[[Assembly], float] = lambda genome: 99.0,
) -> list[Coevolution]:
    states, next_id = [strategy.init(stream(seed, "init"))], 0
    for step in range(generations):
        proposals, state = strategy.ask(states[-1], stream(seed, "ask", step))
        told = []
        for id, proposal in enumerate(proposals, next_id):
            value = loss(proposal.genome, id)
            told.append(Evaluation(id, proposal.genome, None if value is None else (value, second(proposal.genome))))
        next_id += len(told)
        states.append(strategy.tell(state, told, stream(seed, "tell", step)))
    return states


def chain(*species: int) -> MarkedGraph:
    marks = range(10, 10 + len(species))
    nodes = [NodeGene(mark, (one,)) for mark, one in zip(marks, species, strict=True)]
    links = [LinkGene(a, b) for a, b in zip((0, *marks), (*marks, 1), strict=True)]
    return marked_graph(nodes, links, GENES)


def module(filters: int) -> MarkedGraph:
    return minimal((filters, 3, 0.0, 1.0, False))


def state_of(blueprints: list[MarkedGraph], species: dict[int, list[int]]) -> Coevolution:
    """Blueprints with ids from 0; modules whose id is their number of filters, by species."""
    modules = [Part(id, module(id), label) for label, ids in species.items() for id in ids]
    known = tuple([Species(label, module(ids[0])) for label, ids in species.items()])
    parts = tuple([Part(id, graph, 0) for id, graph in enumerate(blueprints)])
    return Coevolution(
        Population(tuple(modules), known, 0.3, 99, 99), Population(parts, (Species(0, blueprints[0]),), 9.0, 99, 99)
    )
