"""A maze with a pocket between start and goal, in which whoever walks towards the goal is caught.

The way of testing a search is that of Lehman and Stanley's deceptive mazes (Abandoning objectives, Evolutionary
Computation 19(2), 2011); the grid, the pocket and the moves are evonas' own.

    +---------------------+      A wall stands two cells before the goal, as high as half the maze, with an arm of
    |        #########    |      `depth` cells at each end that points back to the start. The straight way ends in
    |                #    |      this pocket, near the goal; the way to the goal goes around. The deeper the pocket
    |S               # G  |      is, the farther from the goal whoever is caught has to go to leave it.
    |                #    |
    |        #########    |
    +---------------------+
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import dist
from typing import TypeAlias, cast

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.independent import Independent

Cell: TypeAlias = tuple[int, int]
DIRECTIONS: dict[str, Cell] = {"east": (1, 0), "west": (-1, 0), "north": (0, -1), "south": (0, 1)}
"""What a step adds to column and row."""
LEAST = {"size": 9, "depth": 0, "moves": 1, "steps": 1}


@dataclass
class Maze(Independent):
    """Walks through a maze with a deceptive pocket, towards a goal behind it.

    A genome is a tuple of `moves` pairs of genes: a direction and a number of steps, from 1 to `steps`. The walk begins
    at the start; a wall ends a move, and the goal ends the walk. Cells are (column, row), from (0, 0) to (`size` - 1,
    `size` - 1), where `size` is odd; `start` and `goal` lie in the middle row, one cell from its ends. Raises
    UsageError for a pocket that would hold the start, and for so few moves that no walk ends at the goal.
    """

    behaviours = ("column", "row")

    size: int = 21
    depth: int = 6
    moves: int = 12
    steps: int = 6
    choices: Sequence[Choice] = field(init=False, repr=False)
    start: Cell = field(init=False, repr=False)
    goal: Cell = field(init=False, repr=False)
    walls: frozenset[Cell] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for key, least in LEAST.items():
            value = getattr(self, key)
            if type(value) is not int or value < least:
                raise UsageError(f"space.{key} must be a whole number of at least {least}; it is {value!r}")
        if self.size % 2 == 0:
            raise UsageError(f"space.size must be odd, so that the maze has a middle row; it is {self.size}")
        if self.depth > self.size - 6:
            raise UsageError(f"space.depth must be at most {self.size - 6} (size - 6), so that the start lies outside "
                             f"the pocket; it is {self.depth}")  # fmt: skip
        middle, reach, column = self.size // 2, self.size // 4, self.size - 4
        self.start, self.goal = (1, middle), (self.size - 2, middle)
        wall = {(column, row) for row in range(middle - reach, middle + reach + 1)}
        arms = {(column - n, row) for n in range(1, self.depth + 1) for row in (middle - reach, middle + reach)}
        self.walls = frozenset(wall | arms)
        genes = [(f"direction_{n}", f"steps_{n}") for n in range(self.moves)]
        lengths = tuple(range(1, self.steps + 1))
        self.choices = tuple([
            choice
            for direction, steps in genes
            for choice in (Choice(direction, tuple(DIRECTIONS)), Choice(steps, lengths))
        ])  # fmt: skip
        least = len(self._shortest)
        if least > self.moves:
            text = (
                f"space.moves must be at least {least}, the moves of the shortest way to the goal; it is {self.moves}"
            )
            raise UsageError(text)

    def behaviour(self, genome: Genes) -> tuple[float, float]:
        """Column and row of the cell in which the walk ends."""
        column, row = self._end(genome)
        return float(column), float(row)

    def score(self, genome: Genes) -> float:
        """1 - d(end, goal) / d(farthest cell, goal), with Euclidean distances: 1 at the goal alone."""
        farthest = dist((0, 0), self.goal)
        return 1 - dist(self._end(genome), self.goal) / farthest

    def optimum(self) -> tuple[Genes, float]:
        """A walk to the goal of as few moves as possible; the moves that are left repeat the last one."""
        way = self._shortest
        moves = [*way, *[way[-1]] * (self.moves - len(way))]
        genome: Genes = tuple([gene for move in moves for gene in move])
        return genome, self.score(genome)

    def _end(self, genome: Genes) -> Cell:
        at = self.start
        for direction, steps in zip(genome[::2], genome[1::2], strict=True):
            for cell in self._passed(at, cast(str, direction), cast(int, steps)):
                at = cell
                if at == self.goal:
                    return at
        return at

    def _passed(self, at: Cell, direction: str, steps: int) -> Iterator[Cell]:
        """The cells that a move passes, the last one included, up to a wall."""
        right, down = DIRECTIONS[direction]
        for _ in range(steps):
            column, row = at[0] + right, at[1] + down
            if not (0 <= column < self.size and 0 <= row < self.size) or (column, row) in self.walls:
                return
            at = column, row
            yield at

    @cached_property
    def _shortest(self) -> list[tuple[str, int]]:
        """The moves of a shortest way from start to goal, by breadth-first search (Moore 1959)."""
        ways: dict[Cell, list[tuple[str, int]]] = {self.start: []}
        queue = deque([self.start])
        while queue:
            at = queue.popleft()
            for direction in DIRECTIONS:
                for steps, cell in enumerate(self._passed(at, direction, self.steps), 1):
                    if cell not in ways:
                        ways[cell] = [*ways[at], (direction, steps)]
                        queue.append(cell)
        return ways[self.goal]
