"""Loci: whatever is drawn, stepped, blended or redrawn fits; distances are distances; scales are what they say."""

from __future__ import annotations

import json
from collections import Counter
from math import exp, inf, log, nan
from random import Random
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.genomes import choices
from evonas_cli.genomes.choices import Choice, Locus
from evonas_cli.genomes.ranges import Integer, Real

FINITE = st.floats(-1e9, 1e9)
POSITIVE = st.floats(1e-9, 1e9)


def between(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    return min(pair), max(pair)


def reals() -> st.SearchStrategy[Real]:
    linear = st.tuples(FINITE, FINITE).map(between).map(lambda ends: Real("x", *ends))
    logarithmic = st.tuples(POSITIVE, POSITIVE).map(between).map(lambda ends: Real("x", *ends, log=True))
    return linear | logarithmic


def integers() -> st.SearchStrategy[Integer]:
    whole, natural = st.integers(-500, 500), st.integers(1, 10**6)
    linear = st.tuples(whole, whole).map(between).map(lambda ends: Integer("n", *ends))
    logarithmic = st.tuples(natural, natural).map(between).map(lambda ends: Integer("n", *ends, log=True))
    return linear | logarithmic


def options() -> st.SearchStrategy[Choice]:
    return st.lists(st.integers(0, 9), min_size=1, max_size=6, unique=True).map(lambda o: Choice("o", tuple(o)))


LOCI: st.SearchStrategy[Any] = reals() | integers() | options()


@given(LOCI, st.integers(), st.floats(1e-4, 3), st.floats(0, 1))
def test_whatever_comes_out_fits(locus: Locus, seed: int, scale: float, share: float) -> None:
    rng = Random(seed)
    first, second = locus.draw(rng), locus.draw(rng)
    made = [first, locus.redraw(first, rng), locus.step(first, rng, scale), locus.blend(first, second, share)]
    for gene in made:
        assert locus.check(gene) == gene
        assert locus.check(json.loads(json.dumps(gene))) == gene
        assert type(locus.check(gene)) is type(gene)


@given(LOCI, st.integers())
def test_distances_keep_the_axioms(locus: Locus, seed: int) -> None:
    rng = Random(seed)
    a, b, c = (locus.draw(rng) for _ in range(3))
    assert locus.distance(a, a) == 0
    assert locus.distance(a, b) == locus.distance(b, a) >= 0
    assert locus.distance(a, b) <= 1 + 1e-9
    assert locus.distance(a, c) <= locus.distance(a, b) + locus.distance(b, c) + 1e-9
    assert isinstance(locus, Real) or (locus.distance(a, b) > 0) == (a != b)


@given(LOCI, st.integers())
def test_blending_ends_at_the_parents(locus: Locus, seed: int) -> None:
    rng = Random(seed)
    first, second = locus.draw(rng), locus.draw(rng)
    assert locus.blend(first, first, 0.3) == first
    assert locus.distance(locus.blend(first, second, 0.0), first) < 1e-6
    assert locus.distance(locus.blend(first, second, 1.0), second) < 1e-6
    assert locus.distance(first, locus.blend(first, second, 0.4)) <= locus.distance(first, second) + 1e-6


@given(integers() | options(), st.integers())
def test_a_change_changes_unless_there_is_nothing_else(locus: Any, seed: int) -> None:
    rng = Random(seed)
    gene = locus.draw(rng)
    alone = len(locus.grid) == 1
    assert (locus.redraw(gene, rng) == gene) == alone
    at_an_end = isinstance(locus, Integer) and gene in (locus.low, locus.high)
    assert locus.step(gene, rng, 1e-6) != gene or alone or at_an_end


@given(reals(), st.integers(2, 20))
def test_a_grid_has_both_ends_exactly_and_equal_steps(locus: Real, points: int) -> None:
    grid = Real("x", locus.low, locus.high, locus.log, points).grid
    assert grid is not None and len(grid) == (points if locus.low < locus.high else 1)
    assert (grid[0], grid[-1]) == (locus.low, locus.high)
    assert list(grid) == sorted(grid)  # type: ignore[type-var]
    shares = [locus.share(gene) for gene in grid]
    if locus.high - locus.low > 1e-6 * max(1.0, abs(locus.low), abs(locus.high)):
        assert shares == pytest.approx([index / (points - 1) for index in range(points)], abs=1e-5)
    assert locus.grid is None


@given(integers())
def test_a_whole_range_lists_all_its_numbers(locus: Integer) -> None:
    if locus.high - locus.low < 1_000:
        assert locus.grid == tuple(range(locus.low, locus.high + 1))


def test_draws_are_uniform_on_the_scale() -> None:
    rng, n = Random(1), 20_000
    linear = sorted(float(Real("x", -2.0, 6.0).draw(rng)) for _ in range(n))
    logarithmic = sorted(log(float(Real("x", 1e-4, 1.0, log=True).draw(rng))) / log(1e-4) for _ in range(n))[::-1]
    for shares in ([(x + 2) / 8 for x in linear], [1 - share for share in logarithmic]):
        gap = max(abs(share - (index + 0.5) / n) for index, share in enumerate(shares))
        assert gap < 1.95 / n**0.5  # Kolmogorov and Smirnov, exceeded by chance once in 1,000
    counts = Counter(Integer("n", 3, 7).draw(rng) for _ in range(n))
    assert all(abs(counts[value] - n / 5) < 5 * (n / 5) ** 0.5 for value in range(3, 8))


def test_a_logarithmic_whole_range_follows_its_unit_intervals() -> None:
    rng, n, locus = Random(2), 20_000, Integer("n", 1, 64, log=True)
    counts = Counter(locus.draw(rng) for _ in range(n))
    for value in (1, 2, 5, 20, 64):
        p = log((value + 0.5) / (value - 0.5)) / log(64.5 / 0.5)
        assert abs(counts[value] - n * p) < 5 * (n * p) ** 0.5


def test_steps_are_gaussian_and_stop_at_the_ends() -> None:
    rng = Random(3)
    locus = Real("x", 1.0, 100.0, log=True)
    steps = [locus.share(locus.step(10.0, rng, 0.05)) for _ in range(5_000)]
    assert fmean(steps) == pytest.approx(0.5, abs=0.005)
    assert pstdev(steps) == pytest.approx(0.05, rel=0.05)
    ends = Counter(locus.step(99.9, rng, 0.2) for _ in range(1_000))
    assert 400 < ends[100.0] < 600
    moved = Counter(Integer("n", 0, 9).step(5, rng, 1e-9) for _ in range(2_000))
    assert set(moved) == {4, 6} and abs(moved[4] - 1_000) < 120
    assert {Integer("n", 0, 9).step(0, rng, 1e-9) for _ in range(50)} <= {0, 1}


def test_by_hand() -> None:
    locus = Real("x", 1.0, 100.0, log=True)
    assert locus.blend(1.0, 100.0, 0.5) == pytest.approx(10)
    assert locus.distance(1.0, 10.0) == pytest.approx(0.5)
    assert Real("x", 0.0, 4.0).blend(1.0, 3.0, 0.25) == pytest.approx(1.5)
    assert Integer("n", 0, 10).blend(2, 5, 0.5) in (3, 4)
    assert Choice("o", ("a", "b")).blend("a", "b", 0.5) == "a" and Choice("o", ("a", "b")).blend("a", "b", 0.6) == "b"
    loci = [Real("x", 0.0, 4.0), Choice("o", ("a", "b"))]
    assert choices.distance(loci, (1.0, "a"), (3.0, "b")) == pytest.approx(0.75)
    assert choices.parse(loci, [1, "b"]) == (1.0, "b")
    assert exp(locus.share(10.0) * log(100.0)) == pytest.approx(10)


@pytest.mark.parametrize("locus", [Real("x", 1.0, 2.0), Integer("n", 1, 2), Choice("o", (1, 2))])
@pytest.mark.parametrize("value", [0.5, 0, 3, nan, inf, "1", None, True, [1]])
def test_other_values_are_refused_by_name(locus: Locus, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{locus.name} is "):
        locus.check(value)


@pytest.mark.parametrize("kind", [Real, Integer])
@pytest.mark.parametrize(("low", "high"), [(2, 1), (nan, 1), (0, inf), ("0", 1), (True, 2)])
def test_ends_that_make_no_range_are_refused(kind: Any, low: Any, high: Any) -> None:
    with pytest.raises(ValueError, match="^x: the "):
        kind("x", low, high)


@pytest.mark.parametrize("kind", [Real, Integer])
@pytest.mark.parametrize("low", [0, -1])
def test_a_logarithm_of_0_is_refused(kind: Any, low: int) -> None:
    with pytest.raises(ValueError, match="^x: a logarithmic range must lie above 0"):
        kind("x", low, 5, log=True)


@pytest.mark.parametrize("points", [1, 0, 2.5, True])
def test_a_grid_of_less_than_two_points_is_refused(points: Any) -> None:
    with pytest.raises(ValueError, match="^x: points"):
        Real("x", 0.0, 1.0, points=points)
