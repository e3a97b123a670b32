"""Grid search: every point once, in an order that depends on the seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice, Genes, Locus, sample
from evonas_cli.genomes.ranges import Integer, Real
from evonas_cli.strategies.grid import Grid, permuted


@dataclass
class Loci:
    choices: tuple[Locus, ...]

    def sample(self, rng: Random) -> Genes:
        return sample(self.choices, rng)


SMALL = (Choice("op", ("a", "b", "c")), Integer("width", 2, 5), Real("rate", 0.01, 1.0, log=True, points=3))


def walk(grid: Grid, seed: int) -> list[Genes]:
    state, found = grid.init(Random(seed)), []
    while True:
        proposals, state = grid.ask(state, Random(0))
        if not proposals:
            return found
        found += [proposal.genome for proposal in proposals]


def test_every_point_comes_once() -> None:
    points = walk(Grid(space=Loci(SMALL)), 1)
    assert len(points) == len(set(points)) == 3 * 4 * 3
    assert sorted({float(genome[2]) for genome in points}) == pytest.approx([0.01, 0.1, 1.0])
    assert {0.01, 1.0} < {genome[2] for genome in points}


def test_the_seed_chooses_the_order() -> None:
    grid = Grid(space=Loci(SMALL))
    assert walk(grid, 1) == walk(grid, 1) != walk(grid, 2)
    assert set(walk(grid, 1)) == set(walk(grid, 2))


@given(st.integers(1, 3000), st.integers(0, 2**63 - 1))
def test_the_order_is_a_permutation(size: int, key: int) -> None:
    assert sorted(permuted(index, size, key) for index in range(size)) == list(range(size))


def test_a_cut_grid_is_a_fair_part_of_it() -> None:
    first = [permuted(0, 1000, key) for key in range(4000)]
    assert 480 < sum(first) / len(first) < 520
    assert len(set(first)) > 900


def test_ranges_without_steps_have_no_grid() -> None:
    with pytest.raises(UsageError, match="cannot list the values of rate, a range without steps; give it `points`"):
        Grid(space=Loci((Real("rate", 0.0, 1.0),))).init(Random(0))


def test_a_grid_over_the_limit_is_refused() -> None:
    with pytest.raises(UsageError, match=r"the grid has 36 points, more than strategy\.limit=35"):
        Grid(space=Loci(SMALL), limit=35).init(Random(0))
    assert len(walk(Grid(space=Loci(SMALL), limit=36), 0)) == 36


@pytest.mark.parametrize("limit", [0, -1, 1.5, True])
def test_the_limit_is_a_count(limit: int) -> None:
    with pytest.raises(UsageError, match=r"strategy\.limit must be a whole number of at least 1"):
        Grid(space=Loci(SMALL), limit=limit)
