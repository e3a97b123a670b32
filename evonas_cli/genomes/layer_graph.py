"""Graphs of convolutions and pooling nodes: an ordered graph (genomes/ordered_graph.py) with a layer at each node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, TypeAlias

from evonas_cli.genomes.ordered_graph import Edges
from evonas_cli.genomes.sketch import Sketch

MERGES = ("add", "concat")
POOLS = ("max_pool", "avg_pool")


@dataclass(frozen=True, slots=True)
class Layer:
    """The operation of a node: `conv` with its kernel and filters, or one of POOLS, which has 0 for both.

    `merge` says how several maps that the node reads become one: one of MERGES.
    """

    op: str
    kernel: int
    filters: int
    merge: str

    @property
    def pools(self) -> bool:
        """Whether the layer halves the map."""
        return self.op in POOLS

    def __str__(self) -> str:
        return self.op.replace("_", " ") if self.pools else f"conv {self.kernel}x{self.kernel}, {self.filters}"


Node: TypeAlias = tuple[Layer, tuple[int, ...]]
"""A layer and the numbers of the nodes that it reads."""


@dataclass(frozen=True, slots=True)
class LayerGraph:
    """The layers of nodes 1, 2, ... and what each of them reads. Node 0 is the input, the last node is the output."""

    layers: tuple[Layer, ...]
    edges: Edges

    def nodes(self) -> Iterator[Node]:
        """The nodes in order."""
        return zip(self.layers, self.edges, strict=True)

    def halvings(self) -> list[int]:
        """The largest number of pooling nodes on a path to each node, the node itself included; 0 for the input."""
        found = [0]
        for layer, read in self.nodes():
            found.append(max(found[source] for source in read) + layer.pools)
        return found


def distance(first: LayerGraph, second: LayerGraph) -> float:
    """Share of operations, settings and possible edges that differ (Hamming 1950), node by number.

    A node that one graph lacks differs in all. Graphs that are equal but for the numbers of their nodes are apart.
    """
    pairs = [
        pair
        for number, both in enumerate(zip_longest(first.nodes(), second.nodes()), 1)
        for pair in zip(*[_features(node, number) for node in both], strict=True)
    ]
    return sum(bool(one != other) for one, other in pairs) / len(pairs)


def sketch(graph: LayerGraph) -> Sketch:
    """The graph with a node of its own for each merge."""
    texts, links, place = ["input"], [], {0: 0}
    for number, (layer, read) in enumerate(graph.nodes(), 1):
        sources = [place[source] for source in read]
        for text in ([layer.merge] if len(read) > 1 else []) + [str(layer)]:
            links += [(source, len(texts)) for source in sources]
            sources = [len(texts)]
            texts.append(text)
        place[number] = len(texts) - 1
    return Sketch("graph", (*texts, "output"), (*links, (len(texts) - 1, len(texts))), MERGES)


def _features(node: Node | None, number: int) -> list[Any]:
    if node is None:
        return [None] * (4 + number)
    layer, read = node
    return [layer.op, layer.kernel, layer.filters, layer.merge, *[source in read for source in range(number)]]
