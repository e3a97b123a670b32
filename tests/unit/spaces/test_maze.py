"""The pocket maze: walls stop, the goal ends a walk, the pocket deceives, and the shortest way is one."""

from __future__ import annotations

from math import dist, hypot
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Behaving, Linear, Measured, Mutable, Scored, Solved
from evonas_cli.genomes.choices import Genes
from evonas_cli.spaces.maze import DIRECTIONS, Maze


@pytest.mark.parametrize("capability", [Space, Scored, Solved, Behaving, Mutable, Measured, Linear])
def test_conforms(capability: type) -> None:
    assert isinstance(Maze(), capability)


def walk(*moves: tuple[str, int]) -> Genes:
    return tuple([gene for move in moves for gene in move])


def maze(n_moves: int, **settings: Any) -> Maze:
    return Maze(**{"size": 9, "depth": 2, "moves": n_moves, "steps": 9, **settings})


def test_walls_and_borders_end_a_move_and_the_goal_the_walk() -> None:
    """Size 9, depth 2: start (1, 4), goal (7, 4), the wall in column 5 from row 2 to 6, arms in rows 2 and 6."""
    space = maze(4)
    assert space.walls == {(5, row) for row in range(2, 7)} | {(column, row) for column in (3, 4) for row in (2, 6)}
    rest = [("west", 9)] * 3
    assert space.behaviour(walk(("east", 9), ("north", 9), *rest[:2])) == (0.0, 3.0)
    assert space.behaviour(walk(("east", 9), *[("east", 9)] * 3)) == (4.0, 4.0), "caught in the pocket"
    assert space.behaviour(walk(("west", 9), *rest)) == (0.0, 4.0)
    around = [("north", 4), ("east", 6), ("south", 9)]
    assert space.behaviour(walk(*around, ("west", 9))) == (7.0, 4.0) and space.score(walk(*around, ("west", 9))) == 1.0
    assert space.score(walk(*rest, ("west", 1))) == pytest.approx(1 - 7 / hypot(7, 4))


def test_the_pocket_deceives() -> None:
    """Whoever is caught is nearer to the goal than anybody on the way around, until the wall is passed."""
    space = Maze(depth=9)
    caught = space.score(walk(*[("east", 6)] * 12))
    outside = space.score(walk(("north", 6), ("east", 6), ("east", 3), *[("north", 6)] * 9))
    assert outside < caught < 1


@given(st.integers(4, 12), st.integers(0, 15), st.integers(1, 9), st.integers())
def test_walks_stay_in_the_maze_and_the_optimum_reaches_the_goal(half: int, depth: int, steps: int, seed: int) -> None:
    size = 2 * half + 1
    space = Maze(size=size, depth=min(depth, size - 6), moves=4 * size, steps=steps)
    genome, score = space.optimum()
    assert score == 1 and space.behaviour(genome) == space.goal and space.from_json(space.to_json(genome)) == genome
    for _ in range(5):
        drawn = space.sample(Random(seed))
        column, row = space.behaviour(drawn)
        assert 0 <= column < size and 0 <= row < size and (int(column), int(row)) not in space.walls
        assert (space.score(drawn) == 1) == ((column, row) == space.goal)
        assert space.score(drawn) == pytest.approx(1 - dist((column, row), space.goal) / dist((0, 0), space.goal))


def test_fewer_moves_than_the_shortest_way_are_refused_and_as_many_do() -> None:
    for depth in (0, 3):
        least = next(n for n in range(1, 20) if not refused(moves=n, depth=depth, steps=2))
        assert maze(least, depth=depth, steps=2).optimum()[1] == 1
        assert refused(moves=least - 1, depth=depth, steps=2).startswith(f"space.moves must be at least {least}, ")


def refused(**settings: Any) -> str:
    try:
        maze(settings.pop("moves", 12), **settings)
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"size": 7}, "space.size must be a whole number of at least 9; it is 7"),
        ({"size": 10}, "space.size must be odd, so that the maze has a middle row; it is 10"),
        ({"depth": 4}, "space.depth must be at most 3 (size - 6), so that the start lies outside the pocket; it is 4"),
        ({"depth": -1}, "space.depth must be a whole number of at least 0; it is -1"),
        ({"steps": 0}, "space.steps must be a whole number of at least 1; it is 0"),
        ({"moves": True}, "space.moves must be a whole number of at least 1; it is True"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], line: str) -> None:
    assert refused(**settings) == line


def test_what_is_no_walk_is_refused() -> None:
    space = maze(4)
    with pytest.raises(ValueError, match=r"direction_0 is 'up'; it may be one of \['east', 'west', 'north', 'south'\]"):
        space.from_json(["up", 1] * 4)
    assert set(DIRECTIONS) == {"east", "west", "north", "south"}
