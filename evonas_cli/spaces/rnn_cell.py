"""The recurrent cells of Zoph and Le (ICLR 2017, section 3.4): a binary tree over x_t and h_{t-1} and a memory cell c.

A tree with L leaves (the paper's base number) has 2L - 1 nodes, indexed level by level from the leaves 0 .. L-1 up to
the root 2L - 2: node L + k joins nodes 2k and 2k + 1. Each node has a combiner and an activation.

    leaf i        p_i = combine(W_i x_t, U_i h_{t-1}),  a_i = activation(p_i)
    node i        p_i = combine(a_j, a_{j+1}),          a_i = activation(p_i)
    cell inject   a_i = activation(combine(a_i, c_{t-1})) at one node i, once more, with tokens of its own
    outcome       h_t = a of the root;  c_t = p_j of one node j: before its activation, hence before an injection there

Tokens: combiner and activation of every node in order, combiner and activation of the inject, j, i. That makes
8^(2L-1) x 8 x (2L-1)^2 cells: for L = 8, 8^16 x 15^2 = 63,331,869,759,897,600, the paper's "approximately 6 x 10^16".
The paper's figure has L = 2, c_{t-1} into node 0 and c_t from node 1.

The LSTM is one of these cells for L = 8, once the weights of four leaves are zero (`LSTM`), since a product with
c_{t-1}, a product of gates, their sum, its tanh and the output gate take four levels; no smaller tree holds it. The
cell that the authors published is `NASCELL`. Deviation: W_i x_t has a bias, without which no LSTM could be exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Choice, Genes, distance, parse
from evonas_cli.genomes.walk import Decision, Kinds, Program, Trace, redraw, run, uniform
from evonas_cli.network.cell import COMBINERS, FUNCTIONS, Cell, CellGraph

ACTIVATIONS = ("identity", *FUNCTIONS)
KINDS_OF_NODES = ("combiner", "activation")
KINDS_OF_MEMORY = ("inject_combiner", "inject_activation", "memory_from", "memory_into")
KEYS = ("nodes", "inject", "memory_from", "memory_into")

LSTM: Mapping[str, Json] = {
    "nodes": [
        *("add sigmoid", "add identity", "add sigmoid", "add tanh"),
        *("add sigmoid", "add identity", "add identity", "add identity"),
        *("add identity", "multiply identity", "add identity", "add identity"),
        *("add tanh", "add identity"),
        "multiply identity",
    ],
    "inject": "multiply identity",
    "memory_from": 12,
    "memory_into": 0,
}
"""Leaf 0 is the forget gate, 2 the input gate, 3 the candidate, 4 the output gate; 1, 5, 6 and 7 need weights of 0."""

NASCELL: Mapping[str, Json] = {
    "nodes": [
        *("add sigmoid", "add relu", "add sigmoid", "multiply relu", "add tanh", "add sigmoid", "add tanh"),
        "add sigmoid",
        *("multiply tanh", "add tanh", "multiply tanh", "add sigmoid"),
        *("multiply identity", "add tanh"),
        "multiply tanh",
    ],
    "inject": "add tanh",
    "memory_from": 12,
    "memory_into": 8,
}
"""The cell found on the Penn Treebank, as in the authors' TensorFlow code."""


class RnnCell:
    """Recurrent cells as binary trees with a memory (Zoph and Le, 2017).

    Genomes are tuples: combiner and activation of each node and of the inject, memory_from (j), memory_into (i).

    `leaves` is a power of two; `combiners` and `activations` are the allowed ones. Raises UsageError for anything else.
    """

    def __init__(
        self, leaves: int = 8, combiners: Sequence[str] = COMBINERS, activations: Sequence[str] = ACTIVATIONS
    ) -> None:
        if type(leaves) is not int or leaves < 2 or leaves & (leaves - 1):
            raise UsageError(f"space.leaves is {leaves!r}; it must be a power of two of at least 2, such as 8")
        _check_options("space.combiners", combiners, COMBINERS)
        _check_options("space.activations", activations, ACTIVATIONS)
        self.leaves = leaves
        self.n_nodes = 2 * leaves - 1
        self.kinds: Kinds = {
            "combiner": tuple(combiners),
            "activation": tuple(activations),
            "inject_combiner": tuple(combiners),
            "inject_activation": tuple(activations),
            "memory_from": tuple(range(self.n_nodes)),
            "memory_into": tuple(range(self.n_nodes)),
        }
        self._loci = [(f"node {node} {kind}", kind) for node in range(self.n_nodes) for kind in KINDS_OF_NODES]
        self._loci += [(kind, kind) for kind in KINDS_OF_MEMORY]
        self.choices: Sequence[Choice] = [Choice(name, tuple(self.kinds[kind])) for name, kind in self._loci]

    def walk(self) -> Program[Genes]:
        """The tokens in the paper's order; all nodes share the kinds `combiner` and `activation`."""
        genes = []
        for _, kind in self._loci:
            genes.append(self.kinds[kind][(yield Decision(kind))])
        return tuple(genes)

    def sample(self, rng: Random) -> Genes:
        """Every token uniform."""
        genome, _ = run(self.walk(), uniform(self.kinds, rng))
        return genome

    def mutate(self, genome: Genes, rng: Random) -> Genes:
        """One token, drawn uniformly, becomes a different one."""
        mutant, _ = redraw(self.walk, self._trace(genome), self.kinds, rng)
        return mutant

    def recombine(self, parents: Sequence[Genes], rng: Random) -> Genes:
        """The first parent's tree, into which each other parent grafts its subtree below one node, drawn uniformly
        below the root, at the same place; all tokens of the memory come from one of the parents, with equal chances.

        All trees have one shape, so this is the subtree crossover of genetic programming (Koza 1992) at equal places.
        The paper does not recombine.
        """
        tree, memory = list(parents[0][: 2 * self.n_nodes]), rng.choice(parents)[2 * self.n_nodes :]
        for donor in parents[1:]:
            for node in self._below(rng.randrange(self.n_nodes - 1)):
                tree[2 * node : 2 * node + 2] = donor[2 * node : 2 * node + 2]
        return (*tree, *memory)

    def _below(self, node: int) -> list[int]:
        """The node and all nodes whose values reach it."""
        if node < self.leaves:
            return [node]
        left = 2 * (node - self.leaves)
        return [node, *self._below(left), *self._below(left + 1)]

    def _trace(self, genome: Genes) -> Trace:
        """The answers of the walk that ends in the genome."""
        return tuple([choice.options.index(gene) for choice, gene in zip(self.choices, genome, strict=True)])

    def distance(self, first: Genes, second: Genes) -> float:
        """Share of the tokens that differ (Hamming 1950)."""
        return distance(self.choices, first, second)

    def decode_cell(self, genome: Genes) -> Cell:
        """The tree as a graph with one memory."""
        tokens = [str(gene) for gene in genome[:-2]]
        *labels, (inject, function) = zip(tokens[::2], tokens[1::2], strict=True)
        memory_from, memory_into = genome[-2:]
        graph = CellGraph(n_memories=1)
        before: list[int] = []
        values: list[int] = []
        for node, (combiner, activation) in enumerate(labels):
            if node < self.leaves:
                pair = graph.add("affine", graph.input), graph.add("linear", graph.hidden)
            else:
                left = 2 * (node - self.leaves)
                pair = values[left], values[left + 1]
            before.append(graph.add(combiner, *pair))
            value = graph.add(activation, before[-1])
            if node == memory_into:
                value = graph.add(function, graph.add(inject, value, graph.memories[0]))
            values.append(value)
        return graph.cell(values[-1], [before[int(memory_from)]])

    def to_json(self, genome: Genes) -> Json:
        """`{"nodes": ["add tanh", ...], "inject": "add relu", "memory_from": 1, "memory_into": 0}`."""
        labels = [f"{genome[place]} {genome[place + 1]}" for place in range(0, len(genome) - 2, 2)]
        return dict(zip(KEYS, (labels[:-1], labels[-1], *genome[-2:]), strict=True))

    def from_json(self, data: Json) -> Genes:
        """The inverse of `to_json`. Raises ValueError that names what does not fit."""
        if not isinstance(data, Mapping) or sorted(data) != sorted(KEYS):
            raise ValueError(f"a genome here is an object with {', '.join(KEYS)}")
        nodes = data["nodes"]
        if not isinstance(nodes, list | tuple) or len(nodes) != self.n_nodes:
            raise ValueError(f'nodes must be a list of {self.n_nodes} labels such as "add tanh"')
        genes: list[Json] = []
        for place, label in enumerate((*nodes, data["inject"])):
            tokens = label.split(" ") if isinstance(label, str) else ()
            if len(tokens) != 2:
                where = f"node {place}" if place < self.n_nodes else "inject"
                raise ValueError(f'{where} is {label!r}; it must read "combiner activation", such as "add tanh"')
            genes += tokens
        return parse(self.choices, [*genes, data["memory_from"], data["memory_into"]])


def _check_options(key: str, given: Sequence[str], known: Sequence[str]) -> None:
    if not given:
        raise UsageError(f"{key} is empty; it must name at least one of {', '.join(known)}")
    for option in given:
        if option not in known:
            close = get_close_matches(str(option), known, 1, 0.5)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise UsageError(f"{key} has no {option!r}{hint} (known: {', '.join(known)})")
    if len(set(given)) != len(given):
        raise UsageError(f"{key} names an option twice: {', '.join(given)}; name each once")
