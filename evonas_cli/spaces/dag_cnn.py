"""Convolutional networks as directed acyclic graphs of any connectivity and depth.

The encoding is that of Irwin-Harris, Sun, Xue and Zhang, A Graph-Based Encoding for Evolutionary Convolutional Neural
Network Architecture Design (CEC 2019), who tested it by random search. A genome is a list of nodes in topological
order, with an operation each, and the earlier nodes that each node reads. Every node lies on a path from the input to
the output, which is the last node.

A convolution is followed by batch normalisation and ReLU and keeps the size of the map. A pooling node halves the map.
No path has more than `halvings` pooling nodes, so that a map of 2^halvings pixels a side never has less than one. Where
a node reads several nodes, larger maps are first halved by 2x2 max-pooling to the smallest one. The maps are then
concatenated, or added after 1x1 convolutions to the widest one. The head is global average pooling and a linear layer.

The authors' generator was not at hand. Numbers of nodes, edges and operations are drawn here as `sample` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.evolution.crossover import one_point
from evonas_cli.genomes import layer_graph, ordered_graph
from evonas_cli.genomes.layer_graph import MERGES, POOLS, Layer, LayerGraph
from evonas_cli.genomes.options import whole_numbers, words
from evonas_cli.genomes.ordered_graph import Edges
from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.inputs import check_maps
from evonas_cli.network.merging import merged
from evonas_cli.network.plan import Graph, PlanError
from evonas_cli.network.task import Phenotype, Task


class DagCnn:
    """Convolutional networks as acyclic graphs of any connectivity and depth (Irwin-Harris et al., 2019).

    Samples have a number of nodes in `initial_nodes`, [low, high]. Mutation and recombination give up to `max_nodes`
    (null: any number). `edge_probability` is that of each possible edge beyond those that put a node on a path,
    `pool_probability` the share of pooling nodes where one more is allowed. Raises UsageError for values out of range.
    """

    def __init__(
        self,
        initial_nodes: Sequence[int] = (3, 10),
        max_nodes: int | None = None,
        edge_probability: float = 0.2,
        kernels: Sequence[int] = (1, 3, 5),
        filters: Sequence[int] = (8, 16, 32),
        pools: Sequence[str] = POOLS,
        pool_probability: float = 0.3,
        merges: Sequence[str] = MERGES,
        halvings: int = 3,
    ) -> None:
        whole = all(type(end) is int for end in initial_nodes)
        fits = len(initial_nodes) == 2 and whole and 1 <= initial_nodes[0] <= initial_nodes[1]
        _require(fits, "initial_nodes", "[low, high], whole numbers of at least 1", list(initial_nodes))
        most = max_nodes is None or (type(max_nodes) is int and max_nodes >= initial_nodes[1])
        _require(most, "max_nodes", "null, or a whole number not below the higher of initial_nodes", max_nodes)
        _require(type(halvings) is int and halvings >= 0, "halvings", "a whole number of at least 0", halvings)
        for key, value in (("edge_probability", edge_probability), ("pool_probability", pool_probability)):
            _require(type(value) in (int, float) and 0 <= value <= 1, key, "a number in [0, 1]", value)
        self.kernels, self.filters = whole_numbers("kernels", kernels, 1), whole_numbers("filters", filters, 1)
        _require(all(kernel % 2 for kernel in kernels), "kernels", "odd, so that maps keep their size", list(kernels))
        self.merges, self.pools = words("merges", merges, MERGES), words("pools", pools, POOLS) if pools else ()
        self.initial_nodes, self.max_nodes, self.halvings = tuple(initial_nodes), max_nodes, halvings
        self.edge_probability, self.pool_probability = edge_probability, pool_probability

    def sample(self, rng: Random) -> LayerGraph:
        """The number of nodes is uniform; `ordered_graph.draw` gives the edges; options are drawn uniformly.

        A node pools with `pool_probability`, unless a path to the node has `halvings` pooling nodes already.
        """
        edges = ordered_graph.draw(rng.randint(*self.initial_nodes), self.edge_probability, rng)
        return self._legal(tuple([self._layer(rng) for _ in edges]), edges, rng)

    def mutate(self, genome: LayerGraph, rng: Random) -> LayerGraph:
        """One change: a node's operation or one of its settings, an edge, a node more on an edge, or a node less.

        A pooling node of which the change makes one too many on a path becomes a convolution.
        """
        changes: list[Callable[[LayerGraph, Random], LayerGraph]] = [self._redrawn]
        if ordered_graph.flips(genome.edges):
            changes.append(self._flipped)
        if self.max_nodes is None or len(genome.layers) < self.max_nodes:
            changes.append(self._grown)
        if len(genome.layers) > 1:
            changes.append(self._shrunk)
        mutant = rng.choice(changes)(genome, rng)
        return self._legal(mutant.layers, mutant.edges, rng)

    def recombine(self, parents: Sequence[LayerGraph], rng: Random) -> LayerGraph:
        """One-point crossover: nodes keep their numbers and what they read; the last segment keeps its end.

        A later node, drawn uniformly, reads a node that is left without a reader.
        """
        shortest = min(len(parent.layers) for parent in parents)
        sources = one_point(shortest, len(parents), rng)
        last = parents[sources[-1]]
        head = [(parents[source].layers[place], parents[source].edges[place]) for place, source in enumerate(sources)]
        layers = (*[layer for layer, _ in head], *last.layers[shortest:])
        edges = ordered_graph.connect([*[read for _, read in head], *last.edges[shortest:]], rng)
        return self._legal(layers, edges, rng)

    def distance(self, first: LayerGraph, second: LayerGraph) -> float:
        """Share of operations, settings and possible edges that differ, node by number (`layer_graph.distance`)."""
        return layer_graph.distance(first, second)

    def to_json(self, genome: LayerGraph) -> Json:
        """A list of nodes, each with its operation, its merge and the numbers of the nodes that it reads (0: image)."""
        return [
            {
                "op": layer.op,
                **({} if layer.pools else {"kernel": layer.kernel, "filters": layer.filters}),
                "merge": layer.merge,
                "inputs": list(read),
            }
            for layer, read in genome.nodes()
        ]

    def from_json(self, data: Json) -> LayerGraph:
        """The inverse of `to_json`. Raises ValueError for anything else, with the node and the reason."""
        if not isinstance(data, list | tuple) or not data or len(data) > (self.max_nodes or len(data)):
            most = f"1 to {self.max_nodes} nodes" if self.max_nodes else "one node or more"
            raise ValueError(f"a genome here is a list of {most}")
        nodes = [self._node(number, node) for number, node in enumerate(data, 1)]
        ordered_graph.check([read for _, read in nodes])
        genome = LayerGraph(tuple([layer for layer, _ in nodes]), tuple([tuple(read) for _, read in nodes]))
        deep = [number for number, halvings in enumerate(genome.halvings()) if halvings > self.halvings]
        if deep:
            raise ValueError(f"node {deep[0]}: a path to it has more than space.halvings={self.halvings} pooling nodes")
        return genome

    def sketches(self, genome: LayerGraph) -> Sequence[Sketch]:
        """The graph, with a node of its own for each merge."""
        return [layer_graph.sketch(genome)]

    def decode(self, genome: LayerGraph, task: Task) -> Phenotype:
        """The network. Raises PlanError for inputs that are no maps, or too small to be halved `halvings` times."""
        check_maps("dag_cnn", task)
        side = min(task.inputs[1:])
        if side < 2**self.halvings:
            raise PlanError(
                f"dag_cnn halves maps up to {self.halvings} times, and {task.examples} have a side of {side}; "
                f"set space.halvings to at most {side.bit_length() - 1}"
            )
        graph = Graph(task.inputs)
        outputs = [graph.input]
        for layer, read in genome.nodes():
            x = merged(graph, [outputs[source] for source in read], layer.merge == "concat")
            if layer.pools:
                outputs.append(graph.add(layer.op, x, kernel=2, stride=2))
            else:
                x = graph.add("conv", x, channels=layer.filters, kernel=layer.kernel)
                outputs.append(graph.add("relu", graph.add("batch_norm", x)))
        x = graph.add("global_avg_pool", outputs[-1])
        return Phenotype(graph.plan(graph.add("linear", x, features=task.outputs)))

    def _layer(self, rng: Random) -> Layer:
        if self.pools and rng.random() < self.pool_probability:
            return Layer(rng.choice(self.pools), 0, 0, rng.choice(self.merges))
        return self._convolution(rng.choice(self.merges), rng)

    def _convolution(self, merge: str, rng: Random) -> Layer:
        return Layer("conv", rng.choice(self.kernels), rng.choice(self.filters), merge)

    def _legal(self, layers: Sequence[Layer], edges: Edges, rng: Random) -> LayerGraph:
        """The graph with convolutions in the place of pooling nodes that would halve a map once too often."""
        found, halvings = list(layers), [0]
        for place, read in enumerate(edges):
            before = max(halvings[source] for source in read)
            if found[place].pools and before == self.halvings:
                found[place] = self._convolution(found[place].merge, rng)
            halvings.append(before + found[place].pools)
        return LayerGraph(tuple(found), edges)

    def _redrawn(self, genome: LayerGraph, rng: Random) -> LayerGraph:
        """One other value for one of a node's genes; `merge` only where it matters."""
        place = rng.randrange(len(genome.layers))
        layer, several = genome.layers[place], len(genome.edges[place]) > 1
        options: list[Layer] = [replace(layer, merge=merge) for merge in self.merges if several]
        options += [Layer(pool, 0, 0, layer.merge) for pool in self.pools]
        if layer.pools:
            options.append(self._convolution(layer.merge, rng))
        else:
            options += [replace(layer, kernel=kernel) for kernel in self.kernels]
            options += [replace(layer, filters=filters) for filters in self.filters]
        others = [option for option in options if option != layer]
        chosen = rng.choice(others) if others else layer
        return replace(genome, layers=(*genome.layers[:place], chosen, *genome.layers[place + 1 :]))

    def _flipped(self, genome: LayerGraph, rng: Random) -> LayerGraph:
        return replace(genome, edges=ordered_graph.flip(genome.edges, *rng.choice(ordered_graph.flips(genome.edges))))

    def _grown(self, genome: LayerGraph, rng: Random) -> LayerGraph:
        source, target = rng.choice([(source, node) for node, read in enumerate(genome.edges, 1) for source in read])
        layers = (*genome.layers[: target - 1], self._layer(rng), *genome.layers[target - 1 :])
        return LayerGraph(layers, ordered_graph.insert(genome.edges, source, target))

    def _shrunk(self, genome: LayerGraph, rng: Random) -> LayerGraph:
        node = rng.randint(1, len(genome.layers))
        layers = (*genome.layers[: node - 1], *genome.layers[node:])
        return LayerGraph(layers, ordered_graph.remove(genome.edges, node, rng))

    def _node(self, number: int, data: Any) -> tuple[Layer, Any]:
        pools = isinstance(data, dict) and data.get("op") in self.pools
        names = ["op", *([] if pools else ["kernel", "filters"]), "merge", "inputs"]
        if not isinstance(data, dict) or sorted(data) != sorted(names):
            raise ValueError(f"node {number} must be an object with {', '.join(names)}")
        options = {"op": ("conv", *self.pools), "kernel": self.kernels, "filters": self.filters, "merge": self.merges}
        for name in names[:-1]:
            if not any(type(option) is type(data[name]) and option == data[name] for option in options[name]):
                raise ValueError(f"node {number}: {name} is {data[name]!r}; it may be one of {list(options[name])}")
        return Layer(data["op"], data.get("kernel", 0), data.get("filters", 0), data["merge"]), data["inputs"]


def _require(holds: bool, key: str, rule: str, value: object) -> None:
    if not holds:
        raise UsageError(f"space.{key} must be {rule}; it is {value!r}")
