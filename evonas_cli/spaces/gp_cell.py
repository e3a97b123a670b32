"""Recurrent nodes as expression trees, varied by genetic programming (Rawal and Miikkulainen, arXiv 1803.04439, 2018).

genomes/cell_trees.py has the grammar. A genome is written as text: `linear_tanh(x, h)` is the plain recurrent network,
and LSTM, GRU and NASCell are trees, too (`LSTM`, `GRU_AFTER`, `NASCELL` there). The paper's trees have a depth of at
most 15 and start from LSTMs and simple nodes; rates and details of its operators are ours.

    replace        a node becomes another one with as many children, a leaf another leaf
    insert         a new node between a node and its parent; its other children are leaves
    shrink         a subtree gives way to one of its children, or to a leaf
    add a memory   a node's value is kept for the next step, and another place reads what was kept

The crossover is homologous: a subtree of the second parent takes the place that it has there (genomes/trees.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes import cell_trees, trees
from evonas_cli.genomes.cell_trees import (
    HIDDEN,
    INPUT,
    LINEAR,
    LSTM,
    MOST_CHILDREN,
    MOST_MEMORIES,
    NODES,
    arities,
    fault,
    memories,
    number,
    settled,
)
from evonas_cli.genomes.options import words
from evonas_cli.genomes.sketch import Sketch, tree_sketch
from evonas_cli.network.cell import COMBINERS, Cell
from evonas_cli.network.trees import Tree, parsed

STARTS = ("lstm", "simple", "random")
TRIES = 10
"""Draws of one kind of change before another kind is tried."""
LEAF_PROBABILITY = 0.3
"""Of a child in a random tree."""


class GpCell:
    """Recurrent nodes as expression trees over x, h and memories (Rawal and Miikkulainen, 2018).

    `depth` bounds the function nodes on a path, `memories` the memory cells; `nodes` are the function nodes of new
    trees and changes. A sample is one of `start` (`lstm`; `simple`, one linear node of x and h; `random`) after 1 to
    `start_changes` mutations, a random tree after none. Raises UsageError for settings that fit no tree.
    """

    def __init__(
        self,
        depth: int = 10,
        memories: int = 2,
        nodes: Sequence[str] = NODES,
        start: Sequence[str] = ("lstm", "simple"),
        start_changes: int = 3,
    ) -> None:
        for key, value, least in (("depth", depth, 1), ("memories", memories, 0), ("start_changes", start_changes, 1)):
            if type(value) is not int or value < least:
                raise UsageError(f"space.{key} is {value!r}; it must be a whole number of at least {least}")
        if memories > MOST_MEMORIES:
            raise UsageError(f"space.memories is {memories}; there may be {MOST_MEMORIES} at most")
        self.depth, self.memories, self.start_changes = depth, memories, start_changes
        self.nodes, self.start = words("nodes", nodes, NODES), words("start", start, STARTS)
        linear = [name for name in self.nodes if name in LINEAR]
        if not linear:
            raise UsageError(f"space.nodes has no node that reads x; add one of {', '.join(LINEAR)}")
        first = "linear_tanh" if "linear_tanh" in linear else linear[0]
        self._simple, self._lstm = parsed(f"{first}(x, h)"), parsed(LSTM)
        if "lstm" in self.start and (reason := self._fault(self._lstm)):
            raise UsageError(f"space.start has lstm, which does not fit: {reason}; change it, or drop lstm")

    def sample(self, rng: Random) -> Tree:
        """One of the start trees, drawn with equal chances, changed."""
        start = rng.choice(self.start)
        if start == "random":
            return self._random(rng)
        tree = self._lstm if start == "lstm" else self._simple
        for _ in range(rng.randint(1, self.start_changes)):
            tree = self.mutate(tree, rng)
        return tree

    def mutate(self, genome: Tree, rng: Random) -> Tree:
        """One change, its kind drawn uniformly; a kind that fits nowhere gives way to another one."""
        kinds: list[Callable[[Tree, Random], Tree | None]]
        kinds = [self._replace, self._insert, self._shrink, self._add_memory]
        rng.shuffle(kinds)
        for change in kinds:
            for _ in range(TRIES):
                changed = change(genome, rng)
                if changed is not None and (mutant := settled(changed)) != genome and not self._fault(mutant):
                    return mutant
        return genome

    def recombine(self, parents: Sequence[Tree], rng: Random) -> Tree:
        """The first parent with a subtree of each other one that leaves it a recurrent node (`trees.grafted`)."""
        return trees.grafted(parents, rng, lambda tree: not self._fault(tree), settled)

    def distance(self, first: Tree, second: Tree) -> float:
        """What the trees do not share, in [0, 1] (`trees.distance`)."""
        return trees.distance(first, second)

    def function_key(self, genome: Tree) -> str:
        """The tree with sums, products and memories in canonical order."""
        return cell_trees.canonical(genome)

    def sizes(self, genome: Tree) -> Mapping[str, int]:
        """Nodes with leaves, depth, and memories."""
        return {"nodes": genome.size, "depth": genome.depth, "memories": len(memories(genome))}

    def sketches(self, genome: Tree) -> Sequence[Sketch]:
        """The tree from its leaves down to the root, h_t."""
        return [tree_sketch("tree", genome, "h_t", COMBINERS)]

    def decode_cell(self, genome: Tree) -> Cell:
        """The tree as a graph, with weights of its own at each linear node."""
        return cell_trees.cell_of(genome)

    def to_json(self, genome: Tree) -> Json:
        """The tree as text: "linear_tanh(x, h)"."""
        return str(genome)

    def from_json(self, data: Json) -> Tree:
        """The inverse of `to_json`. Raises ValueError, in one line, for what is no tree of the space."""
        if not isinstance(data, str):
            raise ValueError('a genome here is a text such as "linear_tanh(x, h)"')
        tree = parsed(data)
        reason = self._fault(tree)
        if reason:
            raise ValueError(reason)
        return tree

    def _fault(self, tree: Tree) -> str | None:
        reason = fault(tree)
        if reason:
            return reason
        if tree.depth > self.depth:
            return f"the tree's depth is {tree.depth}; space.depth={self.depth} is the limit"
        if len(memories(tree)) > self.memories:
            return f"the tree has {len(memories(tree))} memories; space.memories={self.memories} is the limit"
        used = {node.label for _, node in tree.places() if node.label in NODES}
        missing = [label for label in NODES if label in used and label not in self.nodes]
        return f"space.nodes lacks {missing[0]}" if missing else None

    def _leaf(self, tree: Tree, wide: bool, rng: Random) -> Tree:
        """A leaf for a place in the tree; only a `wide` one may be x."""
        kept = [f"c{memory}" for memory in memories(tree)]
        return Tree(rng.choice([*([INPUT] if wide else []), HIDDEN, *kept]))

    def _filled(self, tree: Tree, label: str, given: Sequence[Tree], rng: Random) -> Tree:
        """A node with these children and, at drawn places among them, leaves; a linear node gets at most one leaf."""
        least = len(given)
        wanted = rng.choice([count for count in arities(label) if least <= count <= max(2, arities(label)[0])])
        children = [self._leaf(tree, label in LINEAR, rng) for _ in range(wanted - least)]
        for child in given:
            children.insert(rng.randint(0, len(children)), child)
        return Tree(label, tuple(children))

    def _replace(self, tree: Tree, rng: Random) -> Tree | None:
        place, node = rng.choice(list(tree.places()))
        if number(node.label, "memory") is not None:
            return None
        if not node.children:
            wide = bool(place) and tree.at(place[:-1]).label in LINEAR
            return tree.replaced(place, self._leaf(tree, wide, rng))
        options = [label for label in self.nodes if len(node.children) in arities(label) and label != node.label]
        return tree.replaced(place, Tree(rng.choice(options), node.children)) if options else None

    def _insert(self, tree: Tree, rng: Random) -> Tree | None:
        place, node = rng.choice(list(tree.places()))
        return tree.replaced(place, self._filled(tree, rng.choice(self.nodes), [node], rng))

    def _shrink(self, tree: Tree, rng: Random) -> Tree | None:
        place, node = rng.choice([found for found in tree.places() if found[1].children])
        return tree.replaced(place, rng.choice([*node.children, self._leaf(tree, False, rng)]))

    def _add_memory(self, tree: Tree, rng: Random) -> Tree | None:
        """A node of the tree writes the memory; a linear node with room, or a sum or product at a place, reads it."""
        memory = len(memories(tree))
        if memory >= self.memories:
            return None
        place, node = rng.choice([found for found in tree.places() if found[1].children])
        tree = tree.replaced(place, Tree(f"memory{memory}", (node,)))
        place, node = rng.choice([found for found in tree.places() if found[1].label != INPUT])
        read = Tree(f"c{memory}")
        if node.label in LINEAR and len(node.children) < MOST_CHILDREN:
            return tree.replaced(place, Tree(node.label, (*node.children, read)))
        joins = [label for label in COMBINERS if label in self.nodes]
        return tree.replaced(place, Tree(rng.choice(joins), (node, read))) if joins else None

    def _random(self, rng: Random) -> Tree:
        """Grown from the root (Koza 1992, the method grow) until it is a recurrent node; then up to `memories`."""
        tree = self._grown(rng.randint(1, self.depth), rng)
        while fault(tree):
            tree = self._grown(rng.randint(1, self.depth), rng)
        for _ in range(rng.randint(0, self.memories)):
            grown = self._add_memory(tree, rng)
            if grown is not None and not self._fault(settled(grown)):
                tree = settled(grown)
        return tree

    def _grown(self, levels: int, rng: Random) -> Tree:
        """A function node with at most so many levels."""
        label = rng.choice(self.nodes)
        count = rng.choice(arities(label)[:2])
        ends = [levels == 1 or rng.random() < LEAF_PROBABILITY for _ in range(count)]
        leaves = (INPUT, HIDDEN) if label in LINEAR else (HIDDEN,)
        return Tree(label, tuple([Tree(rng.choice(leaves)) if end else self._grown(levels - 1, rng) for end in ends]))
