"""Graphs whose genes carry historical markings, the genomes of NEAT (Stanley and Miikkulainen, 2002).

A node gene has a mark and hyperparameters; a link gene joins two marks and may have hyperparameters, such as a weight.
The terminals are fixed marks: 0 is the input and 1 the output, unless a graph has several of them. The mark of another
node is a hash of the link that it split and of how often this genome had split it before. Equal histories thus give
equal marks in a whole run. Deviation from NEAT: nothing is counted and no registry is kept, so marks have no order, and
disjoint and excess genes are one kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import heapify, heappop, heappush

from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Choice, Genes, Locus

INPUT, OUTPUT = 0, 1


@dataclass(frozen=True, slots=True)
class Terminals:
    """The marks of a graph's inputs (`sources`) and outputs (`sinks`): from 0 upwards, sources first, none left out."""

    sources: tuple[int, ...] = (INPUT,)
    sinks: tuple[int, ...] = (OUTPUT,)

    @property
    def n(self) -> int:
        """How many; the marks of all other nodes begin there."""
        return len(self.sources) + len(self.sinks)


ONE_OF_EACH = Terminals()
"""One input and one output."""


def terminals(n_sources: int, n_sinks: int) -> Terminals:
    """So many inputs and outputs."""
    return Terminals(tuple(range(n_sources)), tuple(range(n_sources, n_sources + n_sinks)))


@dataclass(frozen=True, slots=True)
class NodeGene:
    """A layer, or a blueprint's pointer: its mark and one gene for each of the node loci."""

    mark: int
    genes: Genes


@dataclass(frozen=True, slots=True)
class LinkGene:
    """A link between two marks, with one gene for each of the link loci, if there are any.

    A link that is not enabled carries nothing but still counts in the test for cycles.
    """

    source: int
    target: int
    enabled: bool = True
    genes: Genes = ()

    @property
    def ends(self) -> tuple[int, int]:
        """What links match by."""
        return self.source, self.target


@dataclass(frozen=True, slots=True)
class MarkedGraph:
    """Nodes by ascending mark, links by ascending ends, and the genes that belong to the graph as a whole."""

    nodes: tuple[NodeGene, ...]
    links: tuple[LinkGene, ...]
    genes: Genes = ()
    terminals: Terminals = ONE_OF_EACH


def marked_graph(
    nodes: Iterable[NodeGene],
    links: Iterable[LinkGene],
    genes: Genes = (),
    terminals: Terminals = ONE_OF_EACH,
) -> MarkedGraph:
    """A graph with its genes in order."""
    by_ends = sorted(links, key=lambda link: (link.source, link.target))
    return MarkedGraph(tuple(sorted(nodes, key=lambda node: node.mark)), tuple(by_ends), genes, terminals)


def split_mark(source: int, target: int, occurrence: int, n_terminals: int = ONE_OF_EACH.n) -> int:
    """The mark of the node that splits the link source > target for the `occurrence`-th time (from 0) in a genome."""
    digest = blake2b(f"{source}>{target}#{occurrence}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") + n_terminals


def minimal(node: Genes, genes: Genes = ()) -> MarkedGraph:
    """One node between input and output."""
    mark = split_mark(INPUT, OUTPUT, 0)
    return marked_graph([NodeGene(mark, node)], [LinkGene(INPUT, mark), LinkGene(mark, OUTPUT)], genes)


def pointers(species: Sequence[int]) -> tuple[Locus, ...]:
    """The locus of a blueprint's nodes: which of these species one points to."""
    return (Choice("species", tuple(species)),)


def pointer(node: NodeGene) -> int:
    """The species that a blueprint's node points to."""
    return int(node.genes[0])


def topological(graph: MarkedGraph) -> list[int]:
    """All marks, terminals included, sources before targets, disabled links included; else the smaller first.

    Raises ValueError for a cycle.
    """
    waiting = dict.fromkeys((*graph.terminals.sources, *graph.terminals.sinks), 0)
    waiting |= {node.mark: 0 for node in graph.nodes}
    targets: dict[int, list[int]] = {mark: [] for mark in waiting}
    for link in graph.links:
        waiting[link.target] += 1
        targets[link.source].append(link.target)
    ready = [mark for mark, count in waiting.items() if count == 0]
    heapify(ready)
    order: list[int] = []
    while ready:
        order.append(heappop(ready))
        for target in targets[order[-1]]:
            waiting[target] -= 1
            if waiting[target] == 0:
                heappush(ready, target)
    if len(order) < len(waiting):
        raise ValueError("its links form a cycle")
    return order


def active(graph: MarkedGraph) -> dict[int, tuple[int, ...]]:
    """What is computed: by mark, in topological order and with the outputs last, the marks that it reads.

    Only nodes on a path of enabled links from an input to an output are in it. An output without such a path is not.
    """
    order = topological(graph)
    reads: dict[int, list[int]] = {mark: [] for mark in order}
    for link in graph.links:
        if link.enabled:
            reads[link.target].append(link.source)
    sources, sinks = graph.terminals.sources, graph.terminals.sinks
    reached = set(sources)
    for mark in order:
        if not reached.isdisjoint(reads[mark]):
            reached.add(mark)
    needed = reached.intersection(sinks)
    for mark in reversed(order):
        if mark in needed:
            needed.update(reached.intersection(reads[mark]))
    inner = [mark for mark in order if mark in needed and mark >= graph.terminals.n]
    computed = [*inner, *[mark for mark in sinks if mark in needed]]
    place = {mark: index for index, mark in enumerate(order)}
    return {mark: tuple(sorted(reached.intersection(reads[mark]), key=place.__getitem__)) for mark in computed}


def n_active(graph: MarkedGraph) -> int:
    """How many of its nodes are computed."""
    return sum(mark >= graph.terminals.n for mark in active(graph))


def reached(graph: MarkedGraph) -> dict[int, set[int]]:
    """By mark all marks to which a path of links leads from there, itself among them; disabled links count."""
    targets: dict[int, list[int]] = {}
    for link in graph.links:
        targets.setdefault(link.source, []).append(link.target)
    found: dict[int, set[int]] = {}
    for mark in reversed(topological(graph)):
        found[mark] = {mark}.union(*[found[target] for target in targets.get(mark, ())])
    return found


def check(graph: MarkedGraph) -> None:
    """Raises ValueError for a graph that computes nothing: doubled marks, dangling links, a cycle, no path."""
    marks, (sources, sinks) = [node.mark for node in graph.nodes], (graph.terminals.sources, graph.terminals.sinks)
    if len(set(marks)) != len(marks) or any(mark < graph.terminals.n for mark in marks):
        raise ValueError(f"marks must differ from each other and be above {graph.terminals.n - 1}")
    ends = [link.ends for link in graph.links]
    if len(set(ends)) != len(ends):
        raise ValueError("two links have the same ends")
    for source, target in ends:
        if source not in (*sources, *marks) or target not in (*sinks, *marks):
            raise ValueError(f"no link may lead from {source} to {target}")
    if not set(sinks) <= active(graph).keys():
        raise ValueError("no path of enabled links leads from an input to every output")


def sound(graph: MarkedGraph) -> bool:
    """Whether `check` has nothing against it."""
    try:
        check(graph)
    except ValueError:
        return False
    return True


def graph_to_json(graph: MarkedGraph, node_loci: Sequence[Locus]) -> dict[str, Json]:
    """Nodes with their genes by name, enabled and disabled links as lists of both ends and their genes.

    The graph's own genes are not in it.
    """
    nodes: list[Json] = [
        {"mark": node.mark, **{locus.name: gene for locus, gene in zip(node_loci, node.genes, strict=True)}}
        for node in graph.nodes
    ]
    links: list[Json] = [[*link.ends, *link.genes] for link in graph.links if link.enabled]
    disabled: list[Json] = [[*link.ends, *link.genes] for link in graph.links if not link.enabled]
    return {"nodes": nodes, "links": links, "disabled": disabled}


def graph_from_json(
    data: Json,
    node_loci: Sequence[Locus],
    genes: Genes = (),
    link_loci: Sequence[Locus] = (),
    terminals: Terminals = ONE_OF_EACH,
) -> MarkedGraph:
    """The inverse of `graph_to_json`. Raises ValueError for what is no graph or fails `check`."""
    fields = members(data, ("nodes", "links", "disabled"), "a graph")
    nodes = []
    for item in items(fields["nodes"], "nodes"):
        node = members(item, ("mark", *[locus.name for locus in node_loci]), "a node")
        nodes.append(NodeGene(_whole(node["mark"]), tuple([locus.check(node[locus.name]) for locus in node_loci])))
    links = [
        _link(item, link_loci, enabled=key == "links")
        for key in ("links", "disabled")
        for item in items(fields[key], key)
    ]
    graph = marked_graph(nodes, links, genes, terminals)
    check(graph)
    return graph


def _link(data: Json, loci: Sequence[Locus], enabled: bool) -> LinkGene:
    ends = items(data, "a link")
    if len(ends) != 2 + len(loci):
        rest = "".join(f", then {locus.name}" for locus in loci)
        raise ValueError(f"a link has two ends{rest}, not {len(ends)}")
    genes = tuple([locus.check(gene) for locus, gene in zip(loci, ends[2:], strict=True)])
    return LinkGene(_whole(ends[0]), _whole(ends[1]), enabled, genes)


def members(data: Json, names: Sequence[str], what: str) -> dict[str, Json]:
    """The members of a JSON object that must have exactly these names. Raises ValueError."""
    if not isinstance(data, dict) or set(data) != set(names):
        raise ValueError(f"{what} has the members {', '.join(names)}, not {_brief(data)}")
    return data


def items(data: Json, what: str) -> Sequence[Json]:
    """The elements of a JSON list. Raises ValueError."""
    if not isinstance(data, list | tuple):
        raise ValueError(f"{what} must be a list, not {_brief(data)}")
    return data


def _whole(data: Json) -> int:
    if type(data) is not int:
        raise ValueError(f"a mark is a whole number, not {_brief(data)}")
    return data


def _brief(data: Json) -> str:
    return ", ".join(map(str, data)) or "none" if isinstance(data, dict) else repr(data)[:80]
