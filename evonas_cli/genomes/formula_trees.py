"""Formulas (network/formulas.py) as genomes, varied by genetic programming (Koza, 1992).

    replace   a function becomes another one of as many arguments, a leaf another leaf
    grow      a subtree gives way to a new one (subtree mutation)
    insert    a new function between a node and its parent
    shrink    a function gives way to one of its arguments

The crossover is homologous: a subtree of the second parent takes the place that it has there (genomes/trees.py). What
is no formula of the space, or is deeper than allowed, is drawn again; a change that fits nowhere leaves the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes import trees
from evonas_cli.genomes.options import words
from evonas_cli.genomes.sketch import Sketch, tree_sketch
from evonas_cli.network.formulas import FUNCTIONS, canonical, fault, formula
from evonas_cli.network.trees import Path, Tree

TRIES = 20
"""Draws of one kind of change before another kind is tried."""
LEAF_PROBABILITY = 0.3
"""Of an argument in a new tree."""
NEW_DEPTH = 2
"""The largest depth of a new subtree."""


class FormulaTrees:
    """Formulas of at most `depth` functions on a path: a base class of spaces, Mutable, Crossable, Measured, Sized.

    `functions` are those of new trees, out of `known`; `leaves` are names and numbers. A sample is a new tree, or with
    equal chance one of `start` after a change. `unfit` says of a tree why it is not for the space; None: it is.
    Raises UsageError for a depth or for functions that fit no tree.
    """

    def __init__(
        self,
        depth: int,
        functions: Sequence[str],
        known: Sequence[str],
        leaves: Sequence[str],
        start: Sequence[str],
        unfit: Callable[[Tree], str | None] = lambda tree: None,
    ) -> None:
        if type(depth) is not int or not 1 <= depth <= 20:
            raise UsageError(f"space.depth is {depth!r}; it must be a whole number from 1 to 20")
        self.depth, self.functions = depth, words("functions", functions, known)
        self._known, self._leaves, self._unfit, self._example = tuple(known), tuple(leaves), unfit, start[0]
        trees_of_start = [formula(text, known, leaves, start[0]) for text in start]
        self._start = [tree for tree in trees_of_start if self._fault(tree) is None]

    def sample(self, rng: Random) -> Tree:
        """A new tree (the method grow), or a known one, changed."""
        if self._start and rng.random() < 0.5:
            return self.mutate(rng.choice(self._start), rng)
        while True:
            tree = self._grown(rng.randint(1, self.depth), rng)
            if self._fault(tree) is None:
                return tree

    def mutate(self, genome: Tree, rng: Random) -> Tree:
        """One change, its kind drawn uniformly; a kind that fits nowhere gives way to another one."""
        kinds: list[Callable[[Tree, Random], Tree]] = [self._replace, self._grow, self._insert, self._shrink]
        rng.shuffle(kinds)
        for change in kinds:
            for _ in range(TRIES):
                mutant = change(genome, rng)
                if mutant != genome and self._fault(mutant) is None:
                    return mutant
        return genome

    def recombine(self, parents: Sequence[Tree], rng: Random) -> Tree:
        """The first parent with a subtree of each other one (`trees.grafted`)."""
        return trees.grafted(parents, rng, lambda tree: self._fault(tree) is None)

    def distance(self, first: Tree, second: Tree) -> float:
        """What the trees do not share, in [0, 1] (`trees.distance`)."""
        return trees.distance(first, second)

    def function_key(self, genome: Tree) -> str:
        """The formula with the arguments of commutative functions in one order."""
        return str(canonical(genome))

    def sizes(self, genome: Tree) -> Mapping[str, int]:
        """Nodes with leaves, and depth."""
        return {"nodes": genome.size, "depth": genome.depth}

    def sketches(self, genome: Tree) -> Sequence[Sketch]:
        """The tree from its leaves down to its value."""
        joins = [name for name, function in FUNCTIONS.items() if function.arity == 2]
        return [tree_sketch("formula", genome, "value", joins)]

    def to_json(self, genome: Tree) -> Json:
        """The formula as text."""
        return str(genome)

    def from_json(self, data: Json) -> Tree:
        """The inverse of `to_json`. Raises ValueError, in one line, for what is no formula of the space."""
        tree = formula(data, self._known, self._leaves, self._example)
        if (reason := self._fault(tree)) is not None:
            raise ValueError(reason)
        return tree

    def _fault(self, tree: Tree) -> str | None:
        reason = fault(tree, self._known, self._leaves)
        if reason is not None:
            return reason
        if tree.depth > self.depth:
            return f"the formula's depth is {tree.depth}; space.depth={self.depth} is the limit"
        return self._unfit(tree)

    def _grown(self, levels: int, rng: Random) -> Tree:
        """A function with at most so many levels of functions."""
        label = rng.choice(self.functions)
        ends = [levels == 1 or rng.random() < LEAF_PROBABILITY for _ in range(FUNCTIONS[label].arity)]
        return Tree(label, tuple([self._leaf(rng) if end else self._grown(levels - 1, rng) for end in ends]))

    def _leaf(self, rng: Random) -> Tree:
        return Tree(rng.choice(self._leaves))

    def _replace(self, tree: Tree, rng: Random) -> Tree:
        place, node = self._drawn(tree, rng)
        if not node.children:
            return tree.replaced(place, self._leaf(rng))
        options = [label for label in self.functions if FUNCTIONS[label].arity == len(node.children)]
        return tree.replaced(place, Tree(rng.choice(options), node.children)) if options else tree

    def _grow(self, tree: Tree, rng: Random) -> Tree:
        place, _ = self._drawn(tree, rng)
        return tree.replaced(place, self._grown(rng.randint(1, NEW_DEPTH), rng))

    def _insert(self, tree: Tree, rng: Random) -> Tree:
        place, node = self._drawn(tree, rng)
        label = rng.choice(self.functions)
        children = [self._leaf(rng) for _ in range(FUNCTIONS[label].arity - 1)]
        children.insert(rng.randint(0, len(children)), node)
        return tree.replaced(place, Tree(label, tuple(children)))

    def _shrink(self, tree: Tree, rng: Random) -> Tree:
        place, node = self._drawn(tree, rng)
        return tree.replaced(place, rng.choice(node.children)) if node.children else tree

    def _drawn(self, tree: Tree, rng: Random) -> tuple[Path, Tree]:
        return rng.choice(list(tree.places()))
