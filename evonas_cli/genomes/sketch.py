"""A sketch: a part of a genome as a graph with words, from which a picture is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from evonas_cli.genomes.marked_graph import INPUT, OUTPUT, MarkedGraph, NodeGene, active


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


def sketch_of(title: str, graph: MarkedGraph, words: Callable[[NodeGene], str]) -> Sketch:
    """What is computed of a marked graph, with these words for each node; disabled links are left out."""
    nodes = {node.mark: node for node in graph.nodes}
    reads = active(graph)
    place = {INPUT: 0} | {mark: index for index, mark in enumerate(reads, 1)}
    texts = ["input", *("output" if mark == OUTPUT else words(nodes[mark]) for mark in reads)]
    links = [(place[source], place[mark]) for mark, sources in reads.items() for source in sources]
    return Sketch(title, tuple(texts), tuple(links))
