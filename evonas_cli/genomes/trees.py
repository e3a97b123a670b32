"""What genetic programming does with expression trees (network/trees.py): the region that two have in common, distance.

The common region (Poli and Langdon, 1998) holds the places at which, from the roots down, both trees have as many
children. Crossover at one of these places is homologous: what is exchanged keeps its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from evonas_cli.network.trees import Path, Tree

DEPTH_SHARE = 0.5
"""The share of the depth in the distance of two trees."""


def common_region(first: Tree, second: Tree) -> list[tuple[Path, Tree, Tree]]:
    """The places at which both trees have a node, reached through nodes with as many children in either tree.

    A place whose nodes have different numbers of children belongs to the border: it is listed, nothing below is.
    """
    found: list[tuple[Path, Tree, Tree]] = []
    left: list[tuple[Path, Tree, Tree]] = [((), first, second)]
    while left:
        place, one, other = left.pop()
        found.append((place, one, other))
        if len(one.children) == len(other.children):
            pairs = zip(one.children, other.children, strict=True)
            left += [((*place, number), a, b) for number, (a, b) in enumerate(pairs)][::-1]
    return found


def grafted(
    parents: Sequence[Tree],
    rng: Random,
    fits: Callable[[Tree], bool],
    settled: Callable[[Tree], Tree] = lambda tree: tree,
) -> Tree:
    """The first parent, into which each other one grafts its subtree at one place below the roots.

    The place is drawn uniformly from the common region (one-point crossover: Poli and Langdon, 1998), among those that
    change the tree and leave it one that `fits`; where there is none, the tree stays. `settled` is made of each child.
    """
    tree = parents[0]
    for donor in parents[1:]:
        places = [(place, subtree) for place, _, subtree in common_region(tree, donor) if place]
        rng.shuffle(places)
        for place, subtree in places:
            child = settled(tree.replaced(place, subtree))
            if child != tree and fits(child):
                tree = child
                break
    return tree


def distance(first: Tree, second: Tree) -> float:
    """How different two trees are, in [0, 1]: 0 for equal ones, symmetric.

    (1 - s) (N1 + N2 - 2 n) / (N1 + N2) + s (D1 + D2 - 2 d) / (D1 + D2), with sizes N, depths D and s = DEPTH_SHARE,
    after neat-GP (Trujillo et al., 2016); n and d are size and depth of what the two have in common: nodes of the
    common region with as many children. Beside neat-GP, such a node counts half in n where its labels differ, so that
    trees of one shape have a distance. Two leaves differ by N alone.
    """
    shared = [(place, a, b) for place, a, b in common_region(first, second) if len(a.children) == len(b.children)]
    n = sum([1.0 if a.label == b.label else 0.5 for _, a, b in shared])
    d = max([len(place) + bool(a.children) for place, a, _ in shared], default=0)
    nodes, depths = first.size + second.size, first.depth + second.depth
    apart = (nodes - 2 * n) / nodes
    return (1 - DEPTH_SHARE) * apart + DEPTH_SHARE * ((depths - 2 * d) / depths if depths else 0.0)
