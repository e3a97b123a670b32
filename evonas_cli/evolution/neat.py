"""Variation and distance of marked graphs: the operators of NEAT (Stanley and Miikkulainen, 2002).

All are pure. A matching node or link takes each hyperparameter from either parent. A link that is disabled in one
parent only stays disabled with probability 0.75; one that both have disabled stays so, so that equal parents have an
equal child. A weight is a gene of a link; graphs of layers have none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import fsum
from random import Random
from statistics import fmean

from evonas_cli.genomes import choices
from evonas_cli.genomes.choices import Genes, Locus
from evonas_cli.genomes.marked_graph import (
    LinkGene,
    MarkedGraph,
    NodeGene,
    Terminals,
    marked_graph,
    minimal,
    reached,
    sound,
    split_mark,
)

STAYS_DISABLED = 0.75
"""Probability that a link which one parent has disabled is disabled in the child."""


@dataclass(frozen=True, slots=True)
class GraphLoci:
    """What genes a kind of graph has: those of every node, of the graph as a whole, and of every link.

    `passing` are the genes of a link that passes on what it reads: a weight of 1.
    """

    nodes: tuple[Locus, ...]
    graph: tuple[Locus, ...] = ()
    links: tuple[Locus, ...] = ()
    passing: Genes = ()


@dataclass(frozen=True, slots=True)
class MutationRates:
    """Probabilities: of a new node and a new link for each graph, of a change for each gene of nodes and graph.

    `scale` is the standard deviation of a step, as a share of the gene's range.
    """

    add_node: float
    add_link: float
    node_gene: float
    graph_gene: float
    scale: float


def grow(n_nodes: int, n_links: int, loci: GraphLoci, rng: Random) -> MarkedGraph:
    """A random graph: the minimal one, links split until it has `n_nodes` nodes, up to `n_links` links added."""
    graph = minimal(choices.sample(loci.nodes, rng), choices.sample(loci.graph, rng))
    for _ in range(n_nodes - 1):
        graph = add_node(graph, loci, rng)
    for _ in range(n_links):
        graph = add_link(graph, loci, rng)
    return graph


def direct(terminals: Terminals, loci: GraphLoci, rng: Random) -> MarkedGraph:
    """A graph without hidden nodes: every input linked to every output, with fresh genes."""
    links = [
        LinkGene(source, sink, genes=choices.sample(loci.links, rng))
        for source in terminals.sources
        for sink in terminals.sinks
    ]
    return marked_graph((), links, choices.sample(loci.graph, rng), terminals)


def add_node(graph: MarkedGraph, loci: GraphLoci, rng: Random) -> MarkedGraph:
    """An enabled link, drawn uniformly, is disabled, and a node with fresh genes put in its place.

    The link to the node passes on what it reads, the one from the node has the genes of the disabled link.
    """
    split = rng.choice([link for link in graph.links if link.enabled])
    marks = {node.mark for node in graph.nodes}
    occurrence = 0
    while (mark := split_mark(split.source, split.target, occurrence, graph.terminals.n)) in marks:
        occurrence += 1
    links = [replace(link, enabled=False) if link == split else link for link in graph.links]
    links += [LinkGene(split.source, mark, genes=loci.passing), LinkGene(mark, split.target, genes=split.genes)]
    node = NodeGene(mark, choices.sample(loci.nodes, rng))
    return marked_graph([*graph.nodes, node], links, graph.genes, graph.terminals)


def add_link(graph: MarkedGraph, loci: GraphLoci, rng: Random) -> MarkedGraph:
    """One more enabled link, drawn uniformly among those that close no cycle; the same graph where there is none.

    Where the pair has a disabled link, that link is enabled and keeps its genes.
    """
    marks = [node.mark for node in graph.nodes]
    known, leads = {link.ends: link for link in graph.links}, reached(graph)
    free = [
        (source, target)
        for source in (*graph.terminals.sources, *marks)
        for target in (*graph.terminals.sinks, *marks)
        if source not in leads[target] and not ((source, target) in known and known[source, target].enabled)
    ]
    if not free:
        return graph
    ends = rng.choice(free)
    old = known.pop(ends, None)
    new = LinkGene(*ends, genes=choices.sample(loci.links, rng)) if old is None else replace(old, enabled=True)
    return marked_graph(graph.nodes, [*known.values(), new], graph.genes, graph.terminals)


def mutate(graph: MarkedGraph, loci: GraphLoci, rates: MutationRates, rng: Random) -> MarkedGraph:
    """Every kind of change with its own probability; often several, sometimes none."""
    genes = _stepped(graph.genes, loci.graph, rates.graph_gene, rates.scale, rng)
    nodes = [
        NodeGene(node.mark, _stepped(node.genes, loci.nodes, rates.node_gene, rates.scale, rng)) for node in graph.nodes
    ]
    graph = replace(graph, nodes=tuple(nodes), genes=genes)
    if rng.random() < rates.add_node:
        graph = add_node(graph, loci, rng)
    if rng.random() < rates.add_link:
        graph = add_link(graph, loci, rng)
    return graph


def change(graph: MarkedGraph, loci: GraphLoci, scale: float, rng: Random) -> MarkedGraph:
    """Exactly one change, its kind drawn uniformly: a node's gene, a gene of the graph, a new link, a new node.

    A kind that cannot change anything here gives way to another one, so that the result always differs.
    """
    kinds: list[Callable[[], MarkedGraph]] = [
        lambda: step_node(graph, loci, scale, rng),
        lambda: replace(graph, genes=_step_one(graph.genes, loci.graph, scale, rng)),
        lambda: add_link(graph, loci, rng),
        lambda: add_node(graph, loci, rng),
    ]
    rng.shuffle(kinds)
    for kind in kinds:
        changed = kind()
        if changed != graph:
            break
    return changed


def step_node(graph: MarkedGraph, loci: GraphLoci, scale: float, rng: Random) -> MarkedGraph:
    """One gene of one node, both drawn uniformly, makes a step."""
    place = rng.randrange(len(graph.nodes))
    node = graph.nodes[place]
    stepped = NodeGene(node.mark, _step_one(node.genes, loci.nodes, scale, rng))
    return replace(graph, nodes=(*graph.nodes[:place], stepped, *graph.nodes[place + 1 :]))


def crossover(
    fitter: MarkedGraph, other: MarkedGraph, equal: bool, rng: Random, stays_disabled: float = STAYS_DISABLED
) -> MarkedGraph:
    """Matching genes come from either parent, all others from the fitter, or from both where they are `equal`ly fit.

    A child with a cycle, or without a path, gives way to a clone of the fitter.
    """
    theirs = {node.mark: node for node in other.nodes}
    nodes = [NodeGene(node.mark, _mixed(node.genes, theirs.pop(node.mark, node).genes, rng)) for node in fitter.nodes]
    their_links = {(link.source, link.target): link for link in other.links}
    links = [
        _crossed(link, their_links.pop((link.source, link.target), link), stays_disabled, rng) for link in fitter.links
    ]
    if equal:
        nodes.extend(theirs.values())
        links.extend(their_links.values())
    child = marked_graph(nodes, links, _mixed(fitter.genes, other.genes, rng), fitter.terminals)
    return child if sound(child) else fitter


def distance(
    first: MarkedGraph, second: MarkedGraph, loci: GraphLoci, unmatched_coefficient: float, gene_coefficient: float
) -> float:
    """How different two graphs are: 0 for equal ones, symmetric.

    unmatched_coefficient x (genes without a counterpart / genes of the larger graph), plus gene_coefficient x (mean
    distance in [0, 1] of the hyperparameters of matching nodes; those of the graph count as one more node).
    """
    ours, theirs = ({node.mark: node.genes for node in graph.nodes} for graph in (first, second))
    our_keys, their_keys = ({*ours, *_ends(first)}, {*theirs, *_ends(second)})
    unmatched = len(our_keys ^ their_keys) / max(len(our_keys), len(their_keys))
    pairs = [(loci.nodes, ours[mark], theirs[mark]) for mark in sorted(ours.keys() & theirs.keys())]
    pairs.append((loci.graph, first.genes, second.genes))
    terms = [choices.distance(these, a, b) for these, a, b in pairs if these]
    return unmatched_coefficient * unmatched + gene_coefficient * (fmean(terms) if terms else 0.0)


@dataclass(frozen=True, slots=True)
class Compatibility:
    """NEAT's own distance, c D / N + c3 W, which counts links: 0 for equal graphs, symmetric.

    D is the number of links without a counterpart, disjoint and excess as one kind (c1 = c2 = c = `unmatched`). N is
    the number of links of the larger graph, or 1 where both have fewer than `small`. W is the mean distance of the
    genes of matching links, and c3 is `links`. Beside the paper, `nodes` times the mean distance of the genes of
    matching nodes is added. Graphs that differ in enabled links alone have the distance 0.
    """

    unmatched: float
    links: float
    nodes: float
    small: int

    def distance(self, first: MarkedGraph, second: MarkedGraph, loci: GraphLoci) -> float:
        """Of two graphs with these loci."""
        theirs = {(link.source, link.target): link.genes for link in second.links}
        pairs = [
            (link.genes, theirs[link.source, link.target])
            for link in first.links
            if (link.source, link.target) in theirs
        ]
        larger = max(len(first.links), len(second.links))
        n_unmatched = len(first.links) + len(second.links) - 2 * len(pairs)
        others = {node.mark: node.genes for node in second.nodes}
        nodes = [(node.genes, others[node.mark]) for node in first.nodes if node.mark in others]
        apart = self.unmatched * n_unmatched / (larger if larger >= self.small else 1)
        return apart + self.links * _mean_distance(loci.links, pairs) + self.nodes * _mean_distance(loci.nodes, nodes)


def _mean_distance(loci: Sequence[Locus], pairs: Sequence[tuple[Genes, Genes]]) -> float:
    """Of the genes of what matches; `fsum`, since other sums would depend on the order."""
    terms = [locus.distance(a[place], b[place]) for place, locus in enumerate(loci) for a, b in pairs]
    return fsum(terms) / len(terms) if terms else 0.0


def _ends(graph: MarkedGraph) -> list[tuple[int, int]]:
    return [link.ends for link in graph.links]


def _stepped(genes: Genes, loci: Sequence[Locus], probability: float, scale: float, rng: Random) -> Genes:
    return tuple(
        [
            locus.step(gene, rng, scale) if rng.random() < probability else gene
            for locus, gene in zip(loci, genes, strict=True)
        ]
    )


def _step_one(genes: Genes, loci: Sequence[Locus], scale: float, rng: Random) -> Genes:
    if not genes:
        return genes
    place = rng.randrange(len(genes))
    return (*genes[:place], loci[place].step(genes[place], rng, scale), *genes[place + 1 :])


def _mixed(ours: Genes, theirs: Genes, rng: Random) -> Genes:
    return tuple([b if rng.random() < 0.5 else a for a, b in zip(ours, theirs, strict=True)])


def _crossed(ours: LinkGene, theirs: LinkGene, stays_disabled: float, rng: Random) -> LinkGene:
    genes = _mixed(ours.genes, theirs.genes, rng)
    enabled = ours.enabled if ours.enabled == theirs.enabled else rng.random() >= stays_disabled
    return LinkGene(ours.source, ours.target, enabled, genes)
