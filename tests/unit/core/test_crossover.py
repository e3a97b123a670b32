"""Crossover masks and what children inherit."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.crossover import MASKS, one_point, recombine, two_point, uniform


@given(st.sampled_from(sorted(MASKS)), st.integers(0, 30), st.integers())
def test_every_gene_comes_from_the_same_locus_of_a_parent(name: str, n_loci: int, seed: int) -> None:
    mask = MASKS[name](n_loci, Random(seed))
    first, second = tuple(("a", i) for i in range(n_loci)), tuple(("b", i) for i in range(n_loci))
    child = recombine(mask, first, second)
    assert len(mask) == n_loci
    assert child == tuple(("b" if swap else "a", i) for i, swap in enumerate(mask))
    assert recombine(mask, first, first) == first


@given(st.integers(2, 30), st.integers())
def test_one_point_gives_a_head_of_the_first_and_a_tail_of_the_second(n_loci: int, seed: int) -> None:
    mask = one_point(n_loci, Random(seed))
    assert [swap for swap, _ in groupby(mask)] == [False, True]


@given(st.integers(2, 30), st.integers())
def test_two_point_is_one_arc_of_the_ring_and_mixes_both_parents(n_loci: int, seed: int) -> None:
    mask = two_point(n_loci, Random(seed))
    changes = sum(a != b for a, b in pairwise([*mask, mask[0]]))
    assert changes == 2


@pytest.mark.parametrize("name", MASKS)
def test_a_single_locus_is_inherited(name: str) -> None:
    assert recombine(MASKS[name](1, Random(0)), ("a",), ("b",)) in (("a",), ("b",))
    assert MASKS[name](0, Random(0)) == []


def test_masks_are_drawn_uniformly() -> None:
    rng, draws = Random(7), 6_000
    cuts = Counter(one_point(4, rng).index(True) for _ in range(draws))
    arcs = Counter(tuple(two_point(4, rng)) for _ in range(draws))
    coins = Counter(tuple(uniform(3, rng)) for _ in range(draws))
    for counts, n_outcomes in ((cuts, 3), (arcs, 12), (coins, 8)):
        expected = draws / n_outcomes
        assert len(counts) == n_outcomes
        assert all(abs(count - expected) < 5 * expected**0.5 for count in counts.values())


def test_genomes_and_mask_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        recombine([True], (1,), (1, 2))
