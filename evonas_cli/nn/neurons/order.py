"""In which order the nodes and links of a population of graphs are computed, so that one operation serves all members.

The level of a node is the number of links on the longest path that leads to the node. The nodes of one level, of all
members, are neighbouring rows of one table. Their links are taken in rounds: round k has the k-th link of every node
that has one. Nodes with more links come first in the rounds, so a round concerns the uppermost rows and nothing is
padded. A node hence adds its terms in the order of its links, whoever its neighbours are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from evonas_cli.network.neurons import FUNCTIONS, Neurons

Numbers: TypeAlias = NDArray[np.int64]
PRODUCT = FUNCTIONS.index("multiply")


@dataclass(frozen=True)
class Rounds:
    """Links at some nodes in rounds: `links`, round after round, `sizes` of the rounds, which never grow.

    `nodes` says which node each row of the rounds is, `rows` which row each node is.
    """

    links: Numbers
    sizes: tuple[int, ...]
    nodes: Numbers
    rows: Numbers


@dataclass(frozen=True)
class Level:
    """The nodes of one level: rows `start` to `stop` of the table, sorted by function, those from `middle` on products.

    `functions` has (function, first row, row behind the last one). `sums` and `products` are the links that lead to the
    two kinds of nodes, `leaving` those that lead away from all of them.
    """

    start: int
    middle: int
    stop: int
    functions: tuple[tuple[str, int, int], ...]
    sums: Rounds
    products: Rounds
    leaving: Rounds


@dataclass(frozen=True)
class Order:
    """The order of a population; its links are numbered member after member, in each member's own order.

    The table has a row for each input, which the members share, then one for the bias, one for nodes that no link leads
    to, and then the nodes of all levels, `n_rows` in all. `outputs` are the rows of the members' outputs, `sources`
    those of the links' sources. `gradients` says where the gradient of a link's term is: in its target's row, or, where
    the target is a product, in a row of the link's own behind all others. `from_inputs` are the links that leave inputs
    and bias, `input_sizes` how many leave each. `members` says whose each link is.
    """

    n_inputs: int
    n_rows: int
    levels: tuple[Level, ...]
    outputs: Numbers
    sources: Numbers
    gradients: Numbers
    from_inputs: Numbers
    input_sizes: tuple[int, ...]
    members: Numbers


def order(population: Sequence[Neurons]) -> Order:
    """The order of graphs with equal numbers of inputs and of outputs. Raises ValueError for others."""
    shapes = sorted({(member.n_inputs, member.n_outputs) for member in population})
    if len(shapes) != 1:
        raise ValueError(f"graphs of one program have equal numbers of inputs and outputs, not {shapes}")
    return _Flat(population).order()


class _Flat:
    """Nodes and links of all members, numbered member after member; inputs and bias are -n_inputs - 1 to -1."""

    def __init__(self, population: Sequence[Neurons]) -> None:
        first = population[0]
        self.n_inputs = first.n_inputs
        last = np.cumsum([len(member.functions) for member in population])
        links = [np.array(member.links, dtype=np.int64).reshape(-1, 2) for member in population]
        self.members = np.repeat(np.arange(len(population)), [len(own) for own in links])
        ends = np.concatenate(links) - first.first_node
        shift = np.concatenate([[0], last])[self.members]
        self.inner = ends[:, 0] >= 0
        self.sources = np.where(self.inner, ends[:, 0] + shift, ends[:, 0])
        self.targets = ends[:, 1] + shift
        codes = {name: code for code, name in enumerate(FUNCTIONS)}
        self.functions = np.array([codes[name] for member in population for name in member.functions], dtype=np.int64)
        self.outputs = (last[:, None] - np.arange(first.n_outputs, 0, -1)).ravel()
        self.is_product = self.functions == PRODUCT
        n_nodes = len(self.functions)
        self.in_degree = np.bincount(self.targets, minlength=n_nodes)
        self.nodes = np.maximum(self.sources, 0)  # some node where the source is none, so that it can be an index
        self.inner &= self.in_degree[self.nodes] > 0
        self.out_degree = np.bincount(self.sources[self.inner], minlength=n_nodes)
        self.levels = self._levels()
        self.rows = self._rows()

    def _levels(self) -> Numbers:
        """Links on the longest path to each node. A member's links come by target, so that one pass suffices."""
        levels = [0] * len(self.functions)
        for source, target in zip(self.sources.tolist(), self.targets.tolist(), strict=True):
            level = levels[source] + 1 if source >= 0 else 1
            if level > levels[target]:
                levels[target] = level
        return np.array(levels, dtype=np.int64)

    def _rows(self) -> Numbers:
        """Each node's row: by level, then by function, products last. Nodes that no link leads to share one row."""
        function = np.where(self.is_product, len(FUNCTIONS), self.functions)
        sequence = np.lexsort((function, self.levels))
        constant = self.in_degree == 0
        rows = np.empty_like(sequence)
        rows[sequence] = self.n_inputs + 2 - constant.sum() + np.arange(len(sequence))
        rows[constant] = self.n_inputs + 1
        return rows

    def order(self) -> Order:
        sources = np.where(self.sources >= 0, self.rows[self.nodes], self.sources + self.n_inputs + 1)
        n_rows = self.n_inputs + 2 + int((self.in_degree > 0).sum())
        levels = self._in_rounds()
        gradients, behind = self.rows[self.targets], n_rows
        for level in levels:
            links = level.products.links
            gradients[links] = np.arange(behind, behind + len(links))
            behind += len(links)
        from_inputs = np.flatnonzero(self.sources < 0)
        from_inputs = from_inputs[np.argsort(sources[from_inputs], kind="stable")]
        input_sizes = tuple(np.bincount(sources[from_inputs], minlength=self.n_inputs + 1).tolist())
        outputs = self.rows[self.outputs]
        return Order(self.n_inputs, n_rows, levels, outputs, sources, gradients, from_inputs, input_sizes, self.members)

    def _in_rounds(self) -> tuple[Level, ...]:
        numbers = np.arange(len(self.targets))
        self.in_ranks = numbers - np.searchsorted(self.targets, self.targets)  # links come by target
        by_source = np.lexsort((self.targets, self.sources))
        sources = self.sources[by_source]
        self.out_ranks = np.empty_like(numbers)
        self.out_ranks[by_source] = numbers - np.searchsorted(sources, sources)
        to_level = self.levels[self.targets]
        from_level = np.where(self.inner, self.levels[self.nodes], 0)
        return tuple(
            [
                self._level(np.flatnonzero(self.levels == n), np.flatnonzero(to_level == n), from_level == n)
                for n in range(1, int(self.levels.max()) + 1)
            ]
        )

    def _level(self, nodes: Numbers, links: Numbers, leaving: NDArray[np.bool_]) -> Level:
        nodes = nodes[np.argsort(self.rows[nodes])]
        start, n_sums = int(self.rows[nodes[0]]), int((~self.is_product[nodes]).sum())
        multiplied = self.is_product[self.targets[links]]
        to = (self.targets, self.in_ranks, self.in_degree)
        functions = self.functions[nodes]
        edges = [0, *(np.flatnonzero(np.diff(functions)) + 1).tolist(), len(functions)]
        runs = [
            (FUNCTIONS[int(functions[first])], start + first, start + last)
            for first, last in zip(edges, edges[1:], strict=False)
        ]
        return Level(
            start,
            start + n_sums,
            start + len(nodes),
            tuple(runs),
            _rounds(links[~multiplied], nodes[:n_sums], *to),
            _rounds(links[multiplied], nodes[n_sums:], *to),
            _rounds(np.flatnonzero(leaving), nodes, self.sources, self.out_ranks, self.out_degree),
        )


def _rounds(links: Numbers, nodes: Numbers, ends: Numbers, ranks: Numbers, degrees: Numbers) -> Rounds:
    """The rounds of links; `ends` says at which node each link is, `ranks` which of the node's links it is."""
    sequence = np.argsort(-degrees[nodes], kind="stable")
    rows = np.empty_like(sequence)
    rows[sequence] = np.arange(len(sequence))
    row_of = np.zeros_like(degrees)
    row_of[nodes] = rows
    chosen = np.lexsort((row_of[ends[links]], ranks[links]))
    return Rounds(links[chosen], tuple(np.bincount(ranks[links]).tolist()), sequence, rows)
