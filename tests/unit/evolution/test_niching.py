"""Sharing by its formula, crowding by its laws, diversity as a mean."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.evolution.niching import (
    MOST_PAIRS,
    crowd,
    families,
    fitness,
    mean_distance,
    nearest,
    niche_counts,
    shared_fitness,
    wins,
)


@dataclass(frozen=True)
class Point:
    """A member whose genome is a number."""

    id: int
    genome: float
    loss: float | None


def gap(first: float, second: float) -> float:
    return abs(first - second)


LOSSES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=15)
MEMBERS = st.lists(st.tuples(st.floats(0, 1), st.floats(-5, 5)), min_size=1, max_size=8)


@given(LOSSES)
def test_fitness_is_1_for_the_best_and_0_for_the_worst(losses: list[float]) -> None:
    values = fitness(losses)
    assert all(0 <= value <= 1 for value in values)
    assert values[losses.index(min(losses))] == 1
    assert values[losses.index(max(losses))] == (0 if max(losses) > min(losses) else 1)
    assert all(
        a >= b for x, a in zip(losses, values, strict=True) for y, b in zip(losses, values, strict=True) if x < y
    )


def test_sharing_by_hand() -> None:
    """Three points at 0, 0.1 and 0.5 under radius 0.2: two halves of a niche, one on its own."""
    genomes, losses = [0.0, 0.1, 0.5], [1.0, 2.0, 3.0]
    assert niche_counts(genomes, gap, 0.2, 1.0) == pytest.approx([1.5, 1.5, 1.0])
    assert niche_counts(genomes, gap, 0.2, 2.0) == pytest.approx([1.75, 1.75, 1.0])
    assert niche_counts(genomes, gap, 0.5, 1.0) == pytest.approx([1.8, 2.0, 1.2])
    assert shared_fitness(losses, genomes, gap, 0.2, 1.0) == pytest.approx([1 / 1.5, 0.5 / 1.5, 0.0])
    assert niche_counts([0.3] * 4, gap, 0.1, 1.0) == [4.0] * 4


@given(LOSSES, st.floats(-1e3, 1e3), st.integers())
def test_shared_fitness_is_never_negative_nor_above_fitness(losses: list[float], shift: float, seed: int) -> None:
    genomes = [Random(seed).random() for _ in losses]
    shared = shared_fitness([loss + shift for loss in losses], genomes, gap, 0.3, 1.5)
    assert all(0 <= value <= 1 for value in shared)


@given(st.integers(1, 12), st.integers(2, 5), st.integers(1, 30), st.integers())
def test_families_give_everybody_children_in_turn(n_members: int, n_parents: int, n_children: int, seed: int) -> None:
    groups = families(n_members, n_parents, n_children, Random(seed))
    assert len(groups) == n_children
    assert all(len(set(group)) == len(group) <= n_parents for group in groups)
    firsts = Counter(group[0] for group in groups)
    assert max(firsts.values()) - min(firsts[member] for member in range(n_members)) <= 1


def points(values: list[tuple[float, float]], first_id: int = 0) -> list[Point]:
    return [Point(id, genome, loss) for id, (genome, loss) in enumerate(values, first_id)]


@given(MEMBERS, MEMBERS, st.integers(1, 8), st.none() | st.integers(1, 9), st.booleans(), st.integers())
def test_crowding_changes_nothing_but_places(
    old: list[tuple[float, float]],
    new: list[tuple[float, float]],
    spare: int,
    window: int | None,
    probabilistic: bool,
    seed: int,
) -> None:
    members, children = points(old), points(new, 100)
    size = len(members) + spare - 1
    rng = Random(seed)
    newborn = [(child, (rng.randrange(len(members)),)) for child in children]
    after = crowd(
        members, newborn, rng, distance=gap, size=size, window=window, probabilistic=probabilistic, protected=1
    )
    assert len(after) == min(size, len(members) + len(children))
    assert len({point.id for point in after}) == len(after)
    assert set(after) <= {*members, *children}
    for before, now in zip(members, after, strict=False):
        if not probabilistic or before is members[0]:
            assert now.loss is not None and before.loss is not None
            assert now.loss <= before.loss


def test_a_second_child_fights_the_first_one_for_a_place() -> None:
    members = points([(0.0, 5.0), (1.0, 5.0)])
    newborn = [(Point(8, 0.1, 3.0), (0, 1)), (Point(9, 0.2, 4.0), (0, 1))]
    assert [p.id for p in crowd(members, newborn, Random(0), distance=gap, size=2)] == [8, 1]
    assert [p.id for p in crowd(members, newborn[::-1], Random(0), distance=gap, size=2)] == [8, 1]


def test_failed_ones_do_not_take_part() -> None:
    members = [Point(0, 0.0, 1.0), Point(1, 1.0, None)]
    newborn = [(Point(2, 0.0, None), (0,)), (Point(3, 0.5, 9.0), (0,)), (Point(4, 0.4, 0.5), (0,))]
    assert [p.id for p in crowd(members, newborn, Random(0), distance=gap, size=2)] == [4, 3]


def test_a_window_of_one_meets_anybody_and_a_window_of_all_the_nearest() -> None:
    members, child = points([(0.0, 5.0), (0.4, 5.0), (1.0, 5.0)]), Point(9, 0.45, 1.0)
    replaced = {
        window: Counter(
            [p.id for p in crowd(members, [(child, (0,))], Random(seed), distance=gap, size=3, window=window)].index(9)
            for seed in range(900)
        )
        for window in (1, 3)
    }
    assert replaced[3] == {1: 900}
    assert all(abs(replaced[1][place] - 300) < 75 for place in range(3))


def test_probabilistic_crowding_wins_in_proportion_to_fitness() -> None:
    """Largest loss 4: fitness 3 against 1 wins three times of four."""
    members = points([(0.0, 3.0), (1.0, 4.0)])
    newborn = [(Point(9, 0.0, 1.0), (0,))]
    won = [
        crowd(members, newborn, Random(seed), distance=gap, size=2, probabilistic=True)[0].id == 9
        for seed in range(4_000)
    ]
    assert abs(sum(won) - 3_000) < 5 * 750**0.5
    assert abs(sum(wins(2.0, 2.0, 2.0, Random(seed)) for seed in range(4_000)) - 2_000) < 5 * 1_000**0.5
    assert wins(1.0, 1.0, None, Random(0)) and not wins(1.1, 1.0, None, Random(0))


def test_the_nearest_of_equals_is_drawn() -> None:
    found = Counter(nearest(0.5, {3: 0.4, 7: 0.6, 9: 0.9}, gap, Random(seed)) for seed in range(1_000))
    assert set(found) == {3, 7}
    assert abs(found[3] - 500) < 80


def test_mean_distance_is_exact_for_few_and_sampled_for_many() -> None:
    few = [0.0, 0.5, 1.0, 1.0]
    assert mean_distance(few, gap) == pytest.approx(fmean(gap(a, b) for a, b in combinations(few, 2)))
    assert mean_distance([0.3], gap) == mean_distance([], gap) == 0
    many = [Random(0).random() for _ in range(1)] + [index / 299 for index in range(300)]
    measured: list[float] = []

    def counted(first: float, second: float) -> float:
        measured.append(gap(first, second))
        return measured[-1]

    assert mean_distance(many, counted) == mean_distance(many, counted)
    assert len(measured) == 2 * MOST_PAIRS
    assert mean_distance(many, gap) == pytest.approx(1 / 3, abs=0.04)
