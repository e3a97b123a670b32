"""One hash for all plans that compute the same function up to naming: normalisation, then colour refinement.

The refinement is that of Weisfeiler and Lehman (1968), in sweeps along the topological order. The normal form merges
only what every choice of weights makes equal, so a layer read twice never hashes like two layers. Two cautions:
concatenation counts as commutative, as plans that differ in its order are equal up to a permutation of the channels of
the next weights; and colour refinement can, in theory, confuse very regular graphs that are not isomorphic.
"""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from evonas_cli.network.ops import OPS, Shape
from evonas_cli.network.plan import Node, Plan

Edges: TypeAlias = tuple[tuple[int, int], ...]
"""The nodes that a node reads, each with the number of times it is read (more than once in sums only). Where the order
of the inputs matters, the inputs after the first one have their place, negative, instead."""


class NormalForm(NamedTuple):
    """The normalised graph in topological order, without dead nodes: the last node is the output.

    `kinds` has the name of each node's operation, `labels` the name with all settings, `edges` what each node reads.
    """

    labels: list[bytes]
    edges: list[Edges]
    kinds: list[str]


def canonical_hash(plan: Plan) -> str:
    """32 hexadecimal digits: equal for plans that are equal after normalisation, up to the order of their nodes."""
    form = normal_form(plan)
    return _digest(b"".join(sorted(_colours(form.labels, form.edges)))).hex()


def normal_form(plan: Plan) -> NormalForm:
    """Identities and zeros are left out, sums of sums are one sum, equal nodes without weights are one node."""
    form = _Form()
    place: list[int] = []
    for node, shape in zip(plan.nodes, plan.shapes, strict=True):
        place.append(form.add(node, [place[source] for source in node.inputs], shape))
    return form.reaching(place[plan.output])


class _Form:
    """Grows the normalised graph; nodes without weights are made once for each operation, settings and inputs."""

    def __init__(self) -> None:
        self.labels: list[bytes] = []
        self.edges: list[Edges] = []
        self.kinds: list[str] = []
        self._known: dict[tuple[bytes, Edges], int] = {}

    def add(self, node: Node, sources: list[int], shape: Shape) -> int:
        """The place of a plan's node in the graph: an old one where it adds nothing."""
        if node.op == "input":
            return self._make("input", f"input{shape}".encode(), ())
        if node.op == "identity":
            return sources[0]
        if node.op == "zero" or (_keeps_zero(node) and all(self.kinds[source] == "zero" for source in sources)):
            return self._find("zero", f"zero{shape}".encode(), ())
        if node.op == "add":
            return self._add_sum(sources)
        if node.op == "concat" and len(sources) == 1:
            return sources[0]
        label = f"{node.op}{node.params}".encode()
        rules = OPS[node.op]
        edges = tuple([(source, 1 if rules.commutative else -place or 1) for place, source in enumerate(sources)])
        make = self._make if rules.parameters is not None or rules.draws else self._find
        return make(node.op, label, edges)

    def _add_sum(self, sources: list[int]) -> int:
        """A sum of sums is one sum with whole coefficients, and zeros add nothing."""
        terms: Counter[int] = Counter()
        for source in sources:
            if self.kinds[source] == "add":
                terms.update(dict(self.edges[source]))
            elif self.kinds[source] != "zero":
                terms[source] += 1
        if len(terms) == 1 and terms.total() == 1:
            return next(iter(terms))
        return self._find("add", b"add", tuple(sorted(terms.items())))

    def _find(self, kind: str, label: bytes, edges: Edges) -> int:
        key = (label, edges)
        if key not in self._known:
            self._known[key] = self._make(kind, label, edges)
        return self._known[key]

    def _make(self, kind: str, label: bytes, edges: Edges) -> int:
        self.kinds.append(kind)
        self.labels.append(label)
        self.edges.append(edges)
        return len(self.labels) - 1

    def reaching(self, output: int) -> NormalForm:
        """The nodes that the output needs."""
        needed = {output}
        for index in range(output, -1, -1):
            if index in needed:
                needed.update(source for source, _ in self.edges[index])
        kept = sorted(needed)
        place = {old: new for new, old in enumerate(kept)}
        edges = [tuple([(place[source], times) for source, times in self.edges[index]]) for index in kept]
        return NormalForm([self.labels[index] for index in kept], edges, [self.kinds[index] for index in kept])


def _colours(labels: list[bytes], edges: list[Edges]) -> list[bytes]:
    """Refines colours by those of predecessors, then of successors, until no class of nodes splits any more."""
    readers: list[list[tuple[int, int]]] = [[] for _ in labels]
    for index, sources in enumerate(edges):
        for source, times in sources:
            readers[source].append((index, times))
    colours = [_digest(label) for label in labels]
    classes = len(set(colours))
    while True:
        for index in range(len(labels)):
            colours[index] = _mix(colours, index, edges[index])
        for index in reversed(range(len(labels))):
            colours[index] = _mix(colours, index, readers[index])
        before, classes = classes, len(set(colours))
        if classes in (before, len(labels)):
            return colours


def _mix(colours: list[bytes], index: int, neighbours: Edges | list[tuple[int, int]]) -> bytes:
    near = [colours[other] if times == 1 else _digest(b"%d*" % times + colours[other]) for other, times in neighbours]
    return _digest(colours[index] + b"".join(sorted(near)))


def _keeps_zero(node: Node) -> bool:
    return OPS[node.op].keeps_zero and ("bias", 1) not in node.params


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()
