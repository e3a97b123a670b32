"""Genomes of graphs of single neurons, and how they vary: NEAT's (Stanley and Miikkulainen, 2002).

Several spaces have these genomes. What a genome decodes to is the space's own affair: the network itself, or one that
writes the weights of another network.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import inf
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.evolution import neat
from evonas_cli.evolution.neat import STAYS_DISABLED, Compatibility, GraphLoci
from evonas_cli.genomes import options
from evonas_cli.genomes.choices import Choice
from evonas_cli.genomes.graph_differences import differences
from evonas_cli.genomes.marked_graph import (
    LinkGene,
    MarkedGraph,
    active,
    graph_from_json,
    graph_to_json,
    marked_graph,
    sound,
    terminals,
)
from evonas_cli.genomes.sketch import Sketch, sketch_of
from evonas_cli.genomes.weights import Weight
from evonas_cli.network.neurons import FUNCTIONS, Neurons

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Probabilities:
    """How often a mutation does what; each in [0, 1].

    `weight` is for each genome that its weights change at all; then each weight takes a Gaussian step with `perturb` or
    is drawn anew with `redraw`. The others are for each genome: one link or node is added, one link switched, one node
    gets another function. Raises UsageError for values out of range.
    """

    weight: float
    perturb: float
    redraw: float
    add_link: float
    add_node: float
    toggle: float
    function: float

    def __post_init__(self) -> None:
        for field in fields(self):
            _within(f"{field.name}_probability", getattr(self, field.name), 1)
        if self.perturb + self.redraw > 1 + 1e-9:
            raise UsageError(
                f"space.perturb_probability={self.perturb:g} and space.redraw_probability={self.redraw:g} are more "
                "than 1 together; lower one of them"
            )


class GraphGenomes:
    """Graphs of neurons with `inputs` inputs, a bias and `outputs` outputs (Stanley and Miikkulainen, 2002).

    `functions` is the palette of hidden nodes, `output_function` the function of every output. Fresh weights have the
    standard deviation `weight_sd`, steps of weights `perturb_sd`; mutation keeps weights within `weight_limit` (None:
    no bound). A link that one parent has disabled stays so with `stays_disabled`. The coefficients and `small_genome`
    are those of `evolution.neat.Compatibility`. Raises UsageError for values out of range.
    """

    def __init__(
        self,
        inputs: int = 2,
        outputs: int = 1,
        functions: Sequence[str] = ("steepened_sigmoid",),
        output_function: str = "add",
        weight_sd: float = 1.0,
        perturb_sd: float = 1.4,
        weight_limit: float | None = 8.0,
        weight_probability: float = 0.8,
        perturb_probability: float = 0.9,
        redraw_probability: float = 0.1,
        add_link_probability: float = 0.05,
        add_node_probability: float = 0.03,
        toggle_probability: float = 0.0,
        function_probability: float = 0.0,
        stays_disabled: float = STAYS_DISABLED,
        unmatched_coefficient: float = 1.0,
        weight_coefficient: float = 0.4,
        function_coefficient: float = 1.0,
        small_genome: int = 20,
    ) -> None:
        for key, count, least in (("inputs", inputs, 1), ("outputs", outputs, 1), ("small_genome", small_genome, 0)):
            _require(type(count) is int and count >= least, key, f"a whole number of at least {least}", count)
        for key, sd in (("weight_sd", weight_sd), ("perturb_sd", perturb_sd)):
            _require(0 < sd < inf, key, "a number above 0", sd)
        bounded = weight_limit is None or 0 < weight_limit < inf
        _require(bounded, "weight_limit", "a number above 0 or null", weight_limit)
        _within("stays_disabled", stays_disabled, 1)
        self._functions = options.words("functions", functions, FUNCTIONS)
        [self._output_function] = options.words("output_function", (output_function,), FUNCTIONS)
        if set(self._functions) <= {"add"}:
            _log.warning("space.functions has no function but add, so every network is linear")
        self._inputs, self._outputs, self._terminals = inputs, outputs, terminals(inputs + 1, outputs)
        weight, function = Weight("weight", float(weight_sd)), Choice("function", self._functions)
        self._loci = GraphLoci(nodes=(function,), links=(weight,), passing=(1.0,))
        self._perturb_sd, self._stays_disabled = perturb_sd, stays_disabled
        self._limit = inf if weight_limit is None else weight_limit
        self._probabilities = Probabilities(
            weight=weight_probability,
            perturb=perturb_probability,
            redraw=redraw_probability,
            add_link=add_link_probability,
            add_node=add_node_probability,
            toggle=toggle_probability,
            function=function_probability,
        )
        self._compatibility = _compatibility(
            unmatched_coefficient, weight_coefficient, function_coefficient, small_genome
        )

    def sample(self, rng: Random) -> MarkedGraph:
        """Every input and the bias linked to every output, with fresh weights."""
        return neat.direct(self._terminals, self._loci, rng)

    def mutate(self, genome: MarkedGraph, rng: Random) -> MarkedGraph:
        """Every kind of change with its own probability."""
        graph, chance = genome, self._probabilities
        if rng.random() < chance.weight:
            graph = self._reweighted(graph, chance.perturb, chance.redraw, rng)
        if rng.random() < chance.toggle:
            graph = toggled(graph, rng)
        if rng.random() < chance.function and graph.nodes:
            graph = neat.step_node(graph, self._loci, 0.0, rng)
        if rng.random() < chance.add_link:
            graph = neat.add_link(graph, self._loci, rng)
        if rng.random() < chance.add_node:
            graph = neat.add_node(graph, self._loci, rng)
        return self._reweighted(graph, 1.0, 0.0, rng) if graph == genome else graph

    def recombine(self, parents: Sequence[MarkedGraph], rng: Random) -> MarkedGraph:
        """Parents cross by their marks (`evolution.neat.crossover`), as equally fit: the child has genes of all."""
        child = parents[0]
        for parent in parents[1:]:
            child = neat.crossover(child, parent, True, rng, self._stays_disabled)
        return child

    def recombine_unequal(self, fitter: MarkedGraph, other: MarkedGraph, rng: Random) -> MarkedGraph:
        """The same with the structure of the fitter parent."""
        return neat.crossover(fitter, other, False, rng, self._stays_disabled)

    def distance(self, first: MarkedGraph, second: MarkedGraph) -> float:
        """NEAT's (`evolution.neat.Compatibility`)."""
        return self._compatibility.distance(first, second, self._loci)

    def prune(self, genome: MarkedGraph) -> MarkedGraph:
        """The links and nodes that are computed."""
        found = set(computed(genome))
        marks = {mark for ends in found for mark in ends}
        nodes = [node for node in genome.nodes if node.mark in marks]
        links = [link for link in genome.links if link.ends in found]
        return marked_graph(nodes, links, genome.genes, genome.terminals)

    def sizes(self, genome: MarkedGraph) -> Mapping[str, int]:
        """Links and hidden nodes that are computed."""
        reads = active(genome)
        return {"links": sum(map(len, reads.values())), "hidden": len(reads) - self._outputs}

    def to_json(self, genome: MarkedGraph) -> Json:
        """Nodes with their marks and functions; links, enabled and disabled, as source, target and weight."""
        return graph_to_json(genome, self._loci.nodes)

    def from_json(self, data: Json) -> MarkedGraph:
        """The inverse of `to_json`. Raises ValueError for anything else, with the reason."""
        return graph_from_json(data, self._loci.nodes, (), self._loci.links, self._terminals)

    def sketches(self, genome: MarkedGraph) -> Sequence[Sketch]:
        """The network, a box for each neuron; disabled links are left out."""
        return [sketch_of("neurons", genome, lambda node: str(node.genes[0]), *self._names)]

    def differences(self, before: MarkedGraph, after: MarkedGraph) -> Sequence[str]:
        """Neurons and links that came, went or changed."""
        inputs, outputs = self._names
        names = dict(enumerate((*inputs, *outputs)))
        return list(differences(before, after, self._loci.nodes, self._loci.links, names))

    @property
    def _names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Of inputs with the bias, and of outputs."""
        inputs = (*[f"input {number}" for number in range(1, self._inputs + 1)], "bias")
        numbers = range(1, self._outputs + 1)
        return inputs, ("output",) if self._outputs == 1 else tuple([f"output {number}" for number in numbers])

    def _network(self, genome: MarkedGraph) -> Neurons:
        """What is computed of the graph."""
        reads, functions = active(genome), {node.mark: str(node.genes[0]) for node in genome.nodes}
        place = {mark: number for number, mark in enumerate((*self._terminals.sources, *reads))}
        weights = {(link.source, link.target): float(link.genes[0]) for link in genome.links}
        ends = computed(genome)
        return Neurons(
            self._inputs,
            self._outputs,
            tuple([functions.get(mark, self._output_function) for mark in reads]),
            tuple([(place[source], place[target]) for source, target in ends]),
            tuple([weights[pair] for pair in ends]),
        )

    def _reweighted(self, graph: MarkedGraph, perturb: float, redraw: float, rng: Random) -> MarkedGraph:
        [locus], links = self._loci.links, []
        for link in graph.links:
            chance = rng.random()
            weight = float(link.genes[0])
            if chance < perturb + redraw:
                weight = float(locus.step(weight, rng, self._perturb_sd) if chance < perturb else locus.draw(rng))
                weight = max(-self._limit, min(self._limit, weight))
            links.append(LinkGene(link.source, link.target, link.enabled, (weight,)))
        return replace(graph, links=tuple(links))


def toggled(graph: MarkedGraph, rng: Random) -> MarkedGraph:
    """One link, drawn uniformly, switched; the same graph where an output would be left without a path."""
    place = rng.randrange(len(graph.links))
    link = graph.links[place]
    switched: LinkGene = replace(link, enabled=not link.enabled)
    other = replace(graph, links=(*graph.links[:place], switched, *graph.links[place + 1 :]))
    return other if sound(other) else graph


def computed(graph: MarkedGraph) -> list[tuple[int, int]]:
    """The ends of the links that are computed, in the order of `Neurons`: by target, then by source."""
    return [(source, mark) for mark, read in active(graph).items() for source in read]


def _compatibility(unmatched: float, weight: float, function: float, small: int) -> Compatibility:
    coefficients = {"unmatched": unmatched, "weight": weight, "function": function}
    for name, value in coefficients.items():
        _within(f"{name}_coefficient", value, 1000)
    if not any(coefficients.values()):
        raise UsageError("space.unmatched_coefficient, weight_coefficient and function_coefficient are 0; raise one")
    return Compatibility(unmatched, weight, function, small)


def _within(key: str, value: float, high: float) -> None:
    _require(type(value) in (int, float) and 0 <= value <= high, key, f"a number in [0, {high}]", value)


def _require(holds: bool, key: str, rule: str, value: object) -> None:
    if not holds:
        raise UsageError(f"space.{key} must be {rule}; it is {value!r}")
