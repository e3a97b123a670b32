"""The trees of evolved recurrent nodes (Rawal and Miikkulainen, 2018): their grammar, their memories, their cells.

    leaves     x (the input x_t), h (h_{t-1}), c0, c1, ... (the memories' last values)
    linear, linear_sigmoid, linear_tanh, linear_relu    activation(W_1 a_1 + ... + W_n a_n + b), 1 to 3 children
    sigmoid, tanh, relu      of one child, without weights
    add, multiply            of two children, number by number
    mix                      z a + (1 - z) b of three children z, a and b
    memory0, memory1, ...    one child, whose value the node passes on, and which memory k holds next

The value of the root is h_t. Only linear nodes read x, whose width is its own. Every linear node has matrices of its
own. A memory has one node that writes and at least one leaf that reads.

How memories of two parents are matched, and what becomes of a memory without a reader (`settled`), are our reading. So
is `mix`, without which no GRU has a tree with as many weights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import permutations

from evonas_cli.network.cell import COMBINERS, COMPLEMENT, FUNCTIONS, Cell, CellGraph
from evonas_cli.network.trees import Tree

INPUT, HIDDEN = "x", "h"
LINEAR: Mapping[str, str] = {"linear": "identity", **{f"linear_{name}": name for name in sorted(FUNCTIONS)}}
"""Linear nodes, each with its activation."""
MIX = "mix"
NODES = (*LINEAR, *sorted(FUNCTIONS), *COMBINERS, MIX)
"""All function nodes but the markers of memories."""
MOST_CHILDREN = 3
"""Children of a linear node, at most."""
MOST_MEMORIES = 4
_NUMBERED = re.compile(r"(c|memory)(0|[1-9][0-9]?)")

LSTM = (
    "multiply(linear_sigmoid(x, h), tanh(memory0(add("
    "multiply(linear_sigmoid(x, h), c0), multiply(linear_sigmoid(x, h), linear_tanh(x, h))))))"
)
"""Hochreiter and Schmidhuber (1997), with a forget gate. Linear nodes: output, forget and input gate, candidate."""
GRU = "mix(linear_sigmoid(x, h), h, linear_tanh(x, multiply(linear_sigmoid(x, h), h)))"
"""Cho et al. (2014): the reset gate acts on h before the candidate's matrix."""
GRU_AFTER = "mix(linear_sigmoid(x, h), h, tanh(add(linear(x), multiply(linear_sigmoid(x, h), linear(h)))))"
"""The GRU of cuDNN and torch, whose reset gate acts after the matrix."""
NASCELL = (
    "tanh(multiply(memory0(multiply("
    "tanh(add(tanh(multiply(linear_sigmoid(x, h), linear_relu(x, h))), c0)), "
    "tanh(add(linear_sigmoid(x, h), relu(multiply(linear(x), linear(h))))))), "
    "tanh(add(tanh(multiply(linear_tanh(x, h), linear_sigmoid(x, h))), "
    "sigmoid(add(linear_tanh(x, h), linear_sigmoid(x, h)))))))"
)
"""The cell of Zoph and Le (2017)."""


def arities(label: str) -> tuple[int, ...]:
    """The numbers of children that a label may have; none for an unknown label."""
    if label in LINEAR:
        return tuple(range(1, MOST_CHILDREN + 1))
    if label in (INPUT, HIDDEN) or number(label, "c") is not None:
        return (0,)
    if label in FUNCTIONS or number(label, "memory") is not None:
        return (1,)
    return (2,) if label in COMBINERS else (3,) if label == MIX else ()


def number(label: str, kind: str) -> int | None:
    """Which memory a leaf `c0` (kind c) reads, or a node `memory0` (kind memory) writes; None for all other labels."""
    match = _NUMBERED.fullmatch(label)
    return int(match[2]) if match and match[1] == kind else None


def memories(tree: Tree, kind: str = "memory") -> list[int]:
    """The memories that nodes write (or with kind `c` that leaves read), in the order of the nodes."""
    numbers = [number(node.label, kind) for _, node in tree.places()]
    return [found for found in numbers if found is not None]


def fault(tree: Tree) -> str | None:
    """What keeps a tree from being a recurrent node, in one line; None where it is one."""
    for _, node in tree.places():
        allowed = arities(node.label)
        if len(node.children) not in allowed:
            return _wrong_count(node, allowed)
        if node.label not in LINEAR and any(child.label == INPUT for child in node.children):
            return f"{node.label} reads x, whose width is its own; only linear nodes may: linear(x)"
    labels = {node.label for _, node in tree.places()}
    if HIDDEN not in labels:
        return "h has no path to the root, so that the node is not recurrent"
    if INPUT not in labels:
        return "x has no path to the root, so that the node never sees its input"
    written, read = memories(tree), memories(tree, "c")
    if sorted(written) != list(range(len(written))):
        return f"memories are written as {written}; each must be written once, and they count from 0 on"
    if set(read) != set(written):
        return f"memories {sorted(set(read))} are read and {sorted(written)} written; these must be the same"
    return None


def _wrong_count(node: Tree, allowed: Sequence[int]) -> str:
    if not allowed:
        return f"there is no node {node.label!r}"
    count = str(len(node.children) or "no")
    wanted = "none" if allowed == (0,) else str(allowed[0])
    wanted += f" to {allowed[-1]}" if len(allowed) > 1 else ""
    return f"{node.label} has {count} child{'ren' * (count != '1')}; it takes {wanted}"


def settled(tree: Tree) -> Tree:
    """The tree with its memories in order, after a change that may have left one without a writer or a reader.

    Of several nodes that write one memory the first stays. A node that writes what no leaf reads gives way to its
    child, and a leaf that reads what no node writes becomes h. Memories are numbered in the order of their writers.
    """
    read = set(memories(tree, "c"))
    order = [memory for memory in dict.fromkeys(memories(tree)) if memory in read]
    return _rewritten(tree, {memory: new for new, memory in enumerate(order)}, set())


def _rewritten(tree: Tree, new: Mapping[int, int], done: set[int]) -> Tree:
    written, read = number(tree.label, "memory"), number(tree.label, "c")
    if read is not None:
        return Tree(f"c{new[read]}" if read in new else HIDDEN)
    if written is not None and (written not in new or written in done):
        return _rewritten(tree.children[0], new, done)
    if written is not None:
        done.add(written)
    label = tree.label if written is None else f"memory{new[written]}"
    return Tree(label, tuple([_rewritten(child, new, done) for child in tree.children]))


def canonical(tree: Tree) -> str:
    """One text for trees that compute one function: sums and products in any order, memories by any number."""
    count = len(memories(tree))
    return min([_sorted(tree, order) for order in permutations(range(count))])


def _sorted(tree: Tree, order: tuple[int, ...]) -> str:
    label = tree.label
    for kind in ("c", "memory"):
        found = number(label, kind)
        label = label if found is None else f"{kind}{order[found]}"
    parts = [_sorted(child, order) for child in tree.children]
    if label in COMBINERS or label in LINEAR:
        parts.sort()
    return f"{label}({','.join(parts)})" if parts else label


def cell_of(tree: Tree) -> Cell:
    """The node as a cell; linear nodes have a bias with the matrix of their first child."""
    graph, following = CellGraph(len(memories(tree))), dict[int, int]()
    output = _value(tree, graph, following)
    return graph.cell(output, [following[memory] for memory in sorted(following)])


def _value(tree: Tree, graph: CellGraph, following: dict[int, int]) -> int:
    if tree.label in (INPUT, HIDDEN):
        return graph.input if tree.label == INPUT else graph.hidden
    read, written = number(tree.label, "c"), number(tree.label, "memory")
    if read is not None:
        return graph.memories[read]
    values = [_value(child, graph, following) for child in tree.children]
    if written is not None:
        [following[written]] = values
        return values[0]
    if tree.label in LINEAR:
        parts = [graph.add("linear" if place else "affine", value) for place, value in enumerate(values)]
        return graph.add(LINEAR[tree.label], parts[0] if len(parts) == 1 else graph.add("add", *parts))
    if tree.label == MIX:
        gate, first, second = values
        rest = graph.add("multiply", graph.add(COMPLEMENT, gate), second)
        return graph.add("add", graph.add("multiply", gate, first), rest)
    return graph.add(tree.label, *values)
