"""Directed acyclic graphs with their nodes in topological order, one input, one output, and no node off a path.

Node 0 is the input, the last node is the output, and an edge leads from an earlier node to a later one, so there is no
cycle. A node that reads an earlier node lies behind the input. A node that a later node reads lies before the output.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any, TypeAlias

Edges: TypeAlias = tuple[tuple[int, ...], ...]
"""What each node reads: element k - 1 has the numbers of the nodes that node k reads, ascending."""


def draw(n_nodes: int, probability: float, rng: Random) -> Edges:
    """A graph of so many nodes beside the input.

    Each node reads one earlier node, drawn uniformly, and each other earlier node with `probability`. Then `connect`.
    """
    edges = []
    for node in range(1, n_nodes + 1):
        sure = rng.randrange(node)
        edges.append(tuple([source for source in range(node) if source == sure or rng.random() < probability]))
    return connect(edges, rng)


def connect(edges: Sequence[tuple[int, ...]], rng: Random) -> Edges:
    """The graph in which a later node, drawn uniformly, reads each node that had no reader and is not the output."""
    found = [set(sources) for sources in edges]
    for node in range(1, len(found)):
        if not any(node in sources for sources in found[node:]):
            found[rng.randrange(node, len(found))].add(node)
    return tuple([tuple(sorted(sources)) for sources in found])


def check(edges: Sequence[Any]) -> None:
    """Raises ValueError for lists that are no such graph: a cycle, a node that reads none, a second output."""
    for node, sources in enumerate(edges, 1):
        if not isinstance(sources, list | tuple) or not all(type(source) is int for source in sources):
            raise ValueError(f"node {node}: inputs must be a list of numbers of nodes; they are {sources!r}")
        if not sources:
            raise ValueError(f"node {node} is an orphan: it reads no node; name an earlier one, or 0, the input")
        if not all(0 <= source < node for source in sources):
            raise ValueError(f"node {node}: inputs must be earlier nodes, else there is a cycle; they are {sources!r}")
        if any(source >= other for source, other in pairwise(sources)):
            raise ValueError(f"node {node}: inputs must be different and ascending; they are {sources!r}")
    unread = set(range(1, len(edges))).difference(*edges)
    if unread:
        raise ValueError(f"node {min(unread)} is a second output beside node {len(edges)}: no later node reads it")


def flips(edges: Edges) -> list[tuple[int, int]]:
    """The edges (source, target) that can be added, or removed without a node losing its path."""
    found = []
    for target, sources in enumerate(edges, 1):
        for source in range(target):
            readers = sum(source in others for others in edges[source:])
            if source not in sources or (len(sources) > 1 and (source == 0 or readers > 1)):
                found.append((source, target))
    return found


def flip(edges: Edges, source: int, target: int) -> Edges:
    """The graph with an edge of `flips` added or removed."""
    changed = tuple(sorted(set(edges[target - 1]) ^ {source}))
    return (*edges[: target - 1], changed, *edges[target:])


def insert(edges: Edges, source: int, target: int) -> Edges:
    """The graph with a new node on an edge. The new node takes the number of the target, which moves back by one."""
    later = [tuple([node + (node >= target) for node in sources]) for sources in edges[target - 1 :]]
    later[0] = tuple([*[node for node in later[0] if node != source], target])
    return (*edges[: target - 1], (source,), *later)


def remove(edges: Edges, node: int, rng: Random) -> Edges:
    """The graph without a node, whose readers read what it read; then `connect`. It keeps at least one node."""
    passed = edges[node - 1]
    left = []
    for sources in (*edges[: node - 1], *edges[node:]):
        wanted = {*sources, *passed} - {node} if node in sources else set(sources)
        left.append(tuple(sorted(other - (other > node) for other in wanted)))
    return connect(left, rng)
