"""A sketch: a part of a genome as a graph with words, from which a picture is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evonas_cli.genomes.marked_graph import MarkedGraph, NodeGene, active
from evonas_cli.network.trees import Tree


@dataclass(frozen=True, slots=True)
class Sketch:
    """A named graph without cycles.

    `nodes` has the words of each node in topological order, `links` pairs of their indices, of which the source is the
    lower. `joins` are the words of nodes that only join what they read, such as a sum. Raises ValueError for a link
    that does not lead to a later node.
    """

    title: str
    nodes: tuple[str, ...]
    links: tuple[tuple[int, int], ...]
    joins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for source, target in self.links:
            if not 0 <= source < target < len(self.nodes):
                raise ValueError(f"{self.title}: no link leads from node {source} to node {target}")


def sketch_of(
    title: str,
    graph: MarkedGraph,
    words: Callable[[NodeGene], str],
    inputs: Sequence[str] = ("input",),
    outputs: Sequence[str] = ("output",),
) -> Sketch:
    """What is computed of a marked graph, with these words for its terminals and for each node.

    Disabled links are left out.
    """
    nodes = {node.mark: node for node in graph.nodes}
    reads, (sources, sinks) = active(graph), (graph.terminals.sources, graph.terminals.sinks)
    place = {mark: index for index, mark in enumerate((*sources, *reads))}
    named = dict(zip(sinks, outputs, strict=True))
    texts = [*inputs, *(named[mark] if mark in named else words(nodes[mark]) for mark in reads)]
    links = [(place[source], place[mark]) for mark, read in reads.items() for source in read]
    return Sketch(title, tuple(texts), tuple(links))


def tree_sketch(title: str, tree: Tree, value: str, joins: Sequence[str]) -> Sketch:
    """An expression tree from its leaves down to its root, which the last node reads; `value` is that node's word."""
    texts: list[str] = []
    links: list[tuple[int, int]] = []

    def drawn(subtree: Tree) -> int:
        sources = [drawn(child) for child in subtree.children]
        links.extend([(source, len(texts)) for source in sources])
        texts.append(subtree.label)
        return len(texts) - 1

    links.append((drawn(tree), len(texts)))
    return Sketch(title, (*texts, value), tuple(sorted(links)), joins=tuple(joins))
