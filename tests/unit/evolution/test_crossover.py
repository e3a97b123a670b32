"""Which parent a gene comes from, and what children inherit."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.evolution.crossover import OPERATORS, SOURCES, blend, cross, one_point, recombine, two_point, uniform
from evonas_cli.genomes.choices import Choice
from evonas_cli.genomes.ranges import Integer, Real


@given(st.sampled_from(sorted(SOURCES)), st.integers(0, 30), st.integers(2, 6), st.integers())
def test_every_gene_comes_from_the_same_locus_of_a_parent(name: str, n_loci: int, n_parents: int, seed: int) -> None:
    sources = SOURCES[name](n_loci, n_parents, Random(seed))
    parents = [tuple((parent, locus) for locus in range(n_loci)) for parent in range(n_parents)]
    assert recombine(sources, parents) == tuple((source, locus) for locus, source in enumerate(sources))
    assert set(sources) <= set(range(n_parents))
    assert recombine(sources, [parents[0]] * n_parents) == parents[0]


@given(st.integers(2, 30), st.integers(2, 6), st.integers())
def test_points_cut_the_line_into_a_segment_of_each_parent_in_order(n_loci: int, n_parents: int, seed: int) -> None:
    sources = one_point(n_loci, n_parents, Random(seed))
    assert [source for source, _ in groupby(sources)] == list(range(min(n_parents, n_loci)))


@given(st.integers(2, 30), st.integers(2, 6), st.integers())
def test_points_cut_the_ring_into_an_arc_of_each_parent(n_loci: int, n_parents: int, seed: int) -> None:
    sources = two_point(n_loci, n_parents, Random(seed))
    n_arcs = min(n_parents, n_loci)
    changes = [(a, b) for a, b in pairwise([*sources, sources[0]]) if a != b]
    assert len(changes) == n_arcs == len(set(sources))
    assert all(b == (a + 1) % n_arcs for a, b in changes)


@pytest.mark.parametrize("name", SOURCES)
def test_a_single_locus_is_inherited(name: str) -> None:
    assert recombine(SOURCES[name](1, 2, Random(0)), [("a",), ("b",)]) in (("a",), ("b",))
    assert SOURCES[name](0, 3, Random(0)) == []


def test_two_parents_draw_what_masks_drew() -> None:
    """The streams of earlier runs: a coin below 1/2 for the second parent, one cut, two cuts of the ring."""
    for seed in range(200):
        coins, cut, arc = Random(seed), Random(seed).randrange(1, 9), Random(seed).sample(range(9), 2)
        assert uniform(9, 2, Random(seed)) == [int(coins.random() < 0.5) for _ in range(9)]
        assert one_point(9, 2, Random(seed)) == [int(locus >= cut) for locus in range(9)]
        inside = [min(arc) <= locus < max(arc) for locus in range(9)]
        assert two_point(9, 2, Random(seed)) == [int(i == (arc[0] < arc[1])) for i in inside]


def test_sources_are_drawn_uniformly() -> None:
    rng, draws = Random(7), 6_000
    cuts = Counter(one_point(4, 2, rng).index(1) for _ in range(draws))
    arcs = Counter(tuple(two_point(4, 2, rng)) for _ in range(draws))
    coins = Counter(tuple(uniform(3, 2, rng)) for _ in range(draws))
    scans = Counter(tuple(uniform(2, 3, rng)) for _ in range(draws))
    diagonals = Counter(tuple(one_point(5, 3, rng)) for _ in range(draws))
    for counts, n_outcomes in ((cuts, 3), (arcs, 12), (coins, 8), (scans, 9), (diagonals, 6)):
        expected = draws / n_outcomes
        assert len(counts) == n_outcomes
        assert all(abs(count - expected) < 5 * expected**0.5 for count in counts.values())


LOCI = [Real("x", 1.0, 100.0, log=True), Integer("n", 0, 20), Choice("o", ("a", "b", "c", "d"))]


@given(st.integers(2, 5), st.integers())
def test_blend_stays_between_the_parents_and_in_range(n_parents: int, seed: int) -> None:
    rng = Random(seed)
    parents = [tuple(locus.draw(rng) for locus in LOCI) for _ in range(n_parents)]
    child = blend(LOCI, parents, rng)
    for gene, locus, *genes in zip(child, LOCI, *parents, strict=True):
        assert locus.check(gene) == gene
        if isinstance(locus, Choice):
            assert gene in genes
        else:
            assert min(genes) - 1e-9 <= gene <= max(genes) + 1e-9  # type: ignore[type-var, operator]
    assert blend(LOCI, [parents[0]] * 2, rng) == parents[0]


def test_blend_takes_shares_and_options_uniformly() -> None:
    rng, parents = Random(3), [(1.0, 0, "a"), (100.0, 20, "b"), (100.0, 20, "c")]
    children = [blend(LOCI, parents, rng) for _ in range(6_000)]
    options = Counter(option for _, _, option in children)
    assert all(abs(options[option] - 2_000) < 5 * 2_000**0.5 for option in "abc")
    mixed = [float(x) for x, _, _ in children if x != 100.0]
    assert abs(sum(x < 10 for x in mixed) / len(mixed) - 0.5) < 0.05  # half-way on the logarithmic scale
    assert abs(len(mixed) / 6_000 - 2 / 3) < 0.05  # one of the two drawn is the first parent


@pytest.mark.parametrize("operator", OPERATORS)
def test_cross_finds_the_operator(operator: str) -> None:
    parents = [LOCI_A, LOCI_B] = [(2.0, 3, "a"), (50.0, 18, "d")]
    children = {cross(operator, LOCI, parents, Random(seed)) for seed in range(40)}
    pure = {child for child in children if all(gene in pair for gene, *pair in zip(child, LOCI_A, LOCI_B, strict=True))}
    assert (len(pure) < len(children)) == (operator == "blend")
    assert len(children) > 1


@pytest.mark.parametrize("wrong", [[(1,), (1, 2)], [(1, 2), (1,)], [(1, 2), (3, 4)]])
def test_genomes_and_sources_of_different_lengths_are_refused(wrong: list[tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="zip"):
        recombine([1], wrong)
    with pytest.raises(ValueError, match="zip"):
        blend([Integer("n", 0, 9)], wrong, Random(0))
