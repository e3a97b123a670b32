"""Cells of hidden states (NASNet: Zoph et al., CVPR 2018) as nodes of a graph: one cell, or all cells as one.

A cell's genes are input1, input2, op1, op2 of each combination: h0 and h1 are what the cell reads, combination i adds
h(i + 2) = op1(input1) + op2(input2). The operation `none` gives nothing, and a combination of nothing is no hidden
state. Those that no combination reads are concatenated as the output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.nasnet_layers import OPERATIONS, match, operate
from evonas_cli.network.plan import Graph
from evonas_cli.network.relaxed import Gate, Mixture

NONE = "none"
GENES = 4
"""Genes of one combination: the hidden states it reads, as indices, then the operations applied to them."""

Term: TypeAlias = tuple[int, str]
"""A hidden state, and the operation applied to it."""


def sides(genes: Sequence[object]) -> list[tuple[Term, Term]]:
    """The two terms of each combination, as its genes say."""
    found = []
    for start in range(0, len(genes), GENES):
        input1, input2, op1, op2 = genes[start : start + GENES]
        found.append(((int(str(input1)), str(op1)), (int(str(input2)), str(op2))))
    return found


def wiring(genes: Sequence[object]) -> tuple[Mapping[int, tuple[Term, ...]], Sequence[int]]:
    """The terms of each hidden state that is there, from h2 on, and the hidden states that are the output."""
    found: dict[int, tuple[Term, ...]] = {}
    read: set[int] = set()
    for state, pair in enumerate(sides(genes), start=2):
        terms = tuple([(source, op) for source, op in pair if op != NONE and (source < 2 or source in found)])
        if terms:
            found[state] = terms
            read.update(source for source, _ in terms)
    return found, [state for state in found if state not in read]


def cell(graph: Graph, before: int, last: int, genes: Sequence[object], filters: int, stride: int) -> int:
    """One cell on the outputs of the two before it; its stride belongs to the operations that read those outputs."""
    states = dict(enumerate(matched(graph, before, last, filters)))
    combined, outputs = wiring(genes)
    for state, terms in combined.items():
        nodes = [operate(graph, op, states[source], stride if source < 2 else 1) for source, op in terms]
        states[state] = graph.add("add", *nodes) if len(nodes) > 1 else nodes[0]
    return graph.add("concat", *[states[state] for state in outputs])


@dataclass(frozen=True, slots=True)
class Options:
    """The terms that each side of each combination of a cell may be; sides are edges, numbered from `first` on."""

    sides: tuple[tuple[Term, ...], ...]
    first: int

    def readers(self, state: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """The edges that can read a hidden state, each with the places of its terms that do."""
        found = [tuple([place for place, (source, _) in enumerate(side) if source == state]) for side in self.sides]
        return tuple([(edge, reading) for edge, reading in enumerate(found, start=self.first) if reading])


def mixed_cell(
    graph: Graph,
    before: int,
    last: int,
    options: Options,
    filters: int,
    stride: int,
    mixtures: dict[int, Mixture],
    gates: dict[int, Gate],
) -> int:
    """As `cell`, with all terms that each side may be; the nodes that mix them are added to `mixtures`.

    Hidden states go to the output through gates, which are added to `gates`: terms that read a state close its gate.
    """
    states = list(matched(graph, before, last, filters))
    added: list[int] = []
    for edge, side in enumerate(options.sides, start=options.first):
        branches = tuple([operate(graph, op, states[source], stride if source < 2 else 1) for source, op in side])
        added.append(graph.add("add", *branches))
        mixtures[added[-1]] = Mixture(edge, branches)
        if len(added) == 2:
            states.append(graph.add("add", *added))
            added = []
    outputs = []
    for state, node in enumerate(states[2:], start=2):
        outputs.append(graph.add("identity", node))
        gates[outputs[-1]] = Gate(options.readers(state))
    return graph.add("concat", *outputs)


def form(genes: Sequence[object], reduces: bool) -> str:
    """Equal for cells that, with weights of their own each, compute the same functions of the two outputs they read.

    It is the canonical hash of an outline of the cell, in which a layer of weights is one convolution; in a reduction
    cell an identity of what the cell reads is such a layer.
    """
    graph = Graph((1, 16, 16))
    states = {state: graph.add("conv", graph.input, channels=1, kernel=2 * state + 1) for state in (0, 1)}
    combined, outputs = wiring(genes)
    for state, terms in combined.items():
        nodes = [_outlined(graph, op, states[source], reduces and source < 2) for source, op in terms]
        states[state] = graph.add("add", *nodes) if len(nodes) > 1 else nodes[0]
    return canonical_hash(graph.plan(graph.add("concat", *[states[state] for state in outputs])))


def _outlined(graph: Graph, op: str, x: int, halves: bool) -> int:
    if op == "identity" and not halves:
        return x
    if op in ("avg_pool_3x3", "max_pool_3x3"):
        return operate(graph, op, x, 1)
    return graph.add("conv", x, channels=1, kernel=2 * OPERATIONS.index(op) + 5)


def matched(graph: Graph, before: int, last: int, filters: int) -> tuple[int, int]:
    """h0 and h1 of a cell."""
    like = graph.shape(last)
    return match(graph, before, like, filters), match(graph, last, like, filters)
