"""The chain landscape: its optimum against brute force, its terms against the search's seed."""

from __future__ import annotations

from itertools import product
from math import exp
from random import Random
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Linear, Mutable, Scored
from evonas_cli.spaces.chain_landscape import ChainLandscape


@pytest.mark.parametrize("capability", [Space, Scored, Mutable, Linear])
def test_conforms(capability: type) -> None:
    assert isinstance(ChainLandscape(), capability)


@pytest.mark.parametrize(("length", "options"), [(1, 4), (2, 3), (4, 4), (6, 3), (9, 2)])
@pytest.mark.parametrize("landscape_seed", range(5))
def test_optimum_is_that_of_brute_force(length: int, options: int, landscape_seed: int) -> None:
    space = ChainLandscape(length, options, landscape_seed)
    best = max(product(range(options), repeat=length), key=space.score)
    assert space.optimum() == (best, space.score(best))


def test_score_is_the_sigmoid_of_the_summed_terms() -> None:
    space = ChainLandscape(3, 2, landscape_seed=4)
    for genome in product(range(2), repeat=3):
        a, b, c = genome
        s = space.unary[0][a] + space.unary[1][b] + space.unary[2][c] + space.pair[0][a][b] + space.pair[1][b][c]
        assert space.score(genome) == pytest.approx(1 / (1 + exp(-s / 8)), rel=1e-12)


def test_nothing_sampled_beats_the_optimum_of_the_full_size() -> None:
    space, rng = ChainLandscape(), Random(0)
    genome, score = space.optimum()
    assert space.score(genome) == score
    assert all(space.score(space.sample(rng)) < score for _ in range(2_000))
    assert all(space.score(space.mutate(genome, rng)) < score for _ in range(200))


def test_terms_are_standard_normal_and_come_from_the_landscape_seed_only() -> None:
    space = ChainLandscape(40, 8)
    terms = [v for row in space.unary for v in row] + [v for m in space.pair for row in m for v in row]
    assert len(terms) == 40 * 8 + 39 * 64
    assert abs(fmean(terms)) < 4 / len(terms) ** 0.5
    assert abs(pstdev(terms) - 1) < 4 / (2 * len(terms)) ** 0.5
    Random(1).random()
    assert ChainLandscape(40, 8).unary == space.unary
    assert ChainLandscape(40, 8, landscape_seed=1).unary != space.unary


@given(st.integers(1, 12), st.integers(2, 5), st.integers())
def test_mutation_changes_one_decision_and_json_is_lossless(length: int, options: int, seed: int) -> None:
    space, rng = ChainLandscape(length, options), Random(seed)
    genome = space.sample(rng)
    mutant = space.mutate(genome, rng)
    assert sum(a != b for a, b in zip(genome, mutant, strict=True)) == 1
    assert all(0 <= a < options for a in mutant)  # type: ignore[operator]
    assert 0 < space.score(mutant) < 1
    assert space.from_json(space.to_json(mutant)) == mutant


def test_what_is_no_genome_is_refused() -> None:
    with pytest.raises(ValueError, match=r"decision_1 is 4; it may be one of \[0, 1, 2, 3\]"):
        ChainLandscape(2).from_json([0, 4])
    with pytest.raises(ValueError, match="list of 2"):
        ChainLandscape(2).from_json([0])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("length", 0),
        ("length", 1.5),
        ("options", 1),
        ("options", "4"),
        ("landscape_seed", -1),
        ("landscape_seed", True),
    ],
)
def test_bad_sizes_are_refused(key: str, value: object) -> None:
    with pytest.raises(UsageError, match=rf"^space\.{key} must be a whole number of at least"):
        ChainLandscape(**{key: value})  # type: ignore[arg-type]
