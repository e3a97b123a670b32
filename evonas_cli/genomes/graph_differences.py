"""How a marked graph differs from another, in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evonas_cli.genomes.choices import Gene, Genes, Locus
from evonas_cli.genomes.marked_graph import LinkGene, MarkedGraph


def differences(
    before: MarkedGraph,
    after: MarkedGraph,
    nodes: Sequence[Locus],
    links: Sequence[Locus],
    terminals: Mapping[int, str],
) -> Iterator[str]:
    """A text for each node and each link that came, went or changed; nodes first.

    `nodes` and `links` name the genes of both, `terminals` the inputs and outputs by their marks. Other nodes are
    called by the end of their mark: "new node 3f2a: sine", "input 1 to node 3f2a: weight -0.19 \u2192 -1.9".
    """
    old_nodes, new_nodes = ({node.mark: node.genes for node in graph.nodes} for graph in (before, after))

    def named(mark: int) -> str:
        return terminals[mark] if mark in terminals else f"node {mark & 0xFFFF:04x}"

    for mark in sorted({*old_nodes, *new_nodes}):
        if mark not in old_nodes:
            yield f"new {named(mark)}: {', '.join(map(_brief, new_nodes[mark]))}"
        elif mark not in new_nodes:
            yield f"without {named(mark)}"
        else:
            yield from _changed(named(mark), nodes, old_nodes[mark], new_nodes[mark])
    old_links, new_links = ({link.ends: link for link in graph.links} for graph in (before, after))
    for ends in sorted({*old_links, *new_links}):
        yield from _of_link(" to ".join(map(named, ends)), old_links.get(ends), new_links.get(ends), links)


def _of_link(name: str, old: LinkGene | None, new: LinkGene | None, loci: Sequence[Locus]) -> Iterator[str]:
    if old is None and new is not None:
        genes = ", ".join(f"{locus.name} {_brief(gene)}" for locus, gene in zip(loci, new.genes, strict=True))
        yield f"new link {name}" + (f": {genes}" if genes else "")
    elif new is None:
        yield f"without link {name}"
    elif old is not None:
        if old.enabled != new.enabled:
            yield f"{name}: {'on' if new.enabled else 'off'}"
        yield from _changed(name, loci, old.genes, new.genes)


def changes(loci: Sequence[Locus], old: Genes, new: Genes) -> Iterator[str]:
    """A text for each gene that changed: "weight -0.19 \u2192 -1.9"."""
    for locus, a, b in zip(loci, old, new, strict=True):
        if a != b:
            yield f"{locus.name} {_brief(a)} \u2192 {_brief(b)}"


def _changed(name: str, loci: Sequence[Locus], old: Genes, new: Genes) -> Iterator[str]:
    return (f"{name}: {text}" for text in changes(loci, old, new))


def _brief(gene: Gene) -> str:
    return f"{gene:.3g}" if isinstance(gene, float) else str(gene)
