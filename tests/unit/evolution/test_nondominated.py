"""Non-dominated sorting and crowding, against brute force and by hand."""

from __future__ import annotations

from math import inf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.pareto import dominates
from evonas_cli.evolution.nondominated import best_first, constrained_fronts, crowding, fronts, preferences

VALUE = st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0, 2.0])
VECTORS = st.integers(1, 3).flatmap(lambda n: st.lists(st.tuples(*[VALUE] * n), max_size=25))


def peeled(losses: list[tuple[float, ...]]) -> list[list[int]]:
    """Fronts as they are defined: what is not dominated by anything left."""
    left, found = list(range(len(losses))), []
    while left:
        front = [a for a in left if not any(dominates(losses[b], losses[a]) for b in left)]
        left = [index for index in left if index not in front]
        found.append(front)
    return found


@given(VECTORS)
def test_fronts_are_what_peeling_finds(losses: list[tuple[float, ...]]) -> None:
    assert fronts(losses) == peeled(losses)


@given(VECTORS)
def test_everybody_once_front_by_front_and_the_less_crowded_first(losses: list[tuple[float, ...]]) -> None:
    order = best_first(losses)
    assert sorted(order) == list(range(len(losses)))
    for front in peeled(losses):
        members, order = order[: len(front)], order[len(front) :]
        assert sorted(members) == front
        distances = dict(zip(front, crowding([losses[index] for index in front]), strict=True))
        assert members == sorted(front, key=lambda index: (-distances[index], index))


@given(st.lists(st.tuples(VALUE), max_size=25))
def test_a_single_objective_is_ordered_by_loss_then_place(losses: list[tuple[float]]) -> None:
    assert best_first(losses) == sorted(range(len(losses)), key=lambda index: (losses[index][0], index))


def test_crowding_by_hand() -> None:
    assert crowding([(0.0, 4.0), (1.0, 2.0), (2.0, 1.0), (4.0, 0.0)]) == [inf, 2 / 4 + 3 / 4, 3 / 4 + 2 / 4, inf]
    assert crowding([(1.0, 1.0)] * 3) == [0.0] * 3
    assert crowding([]) == []
    assert crowding([(1.0, 1.0)]) == [inf]
    assert crowding([(1.0, 1.0)] * 2) == [inf] * 2
    assert crowding([(0.0, 2.0), (0.0, 2.0), (1.0, 1.0), (2.0, 0.0)]) == [inf, inf, 2.0, inf]
    assert best_first([(0.0, 5.0), (1.0, 4.5), (2.0, 1.0), (5.0, 0.0), (6.0, 6.0)]) == [0, 3, 2, 1, 4]


def beats(a: int, b: int, losses: list[tuple[float, ...]], violations: list[float]) -> bool:
    """Constraint domination as the paper defines it (section VI)."""
    if violations[a] or violations[b]:
        return violations[a] < violations[b]
    return dominates(losses[a], losses[b])


JUDGED = st.lists(st.tuples(st.tuples(VALUE, VALUE), st.sampled_from([0.0, 0.0, 0.5, 1.0])), max_size=25)


@given(JUDGED)
def test_constraints_come_before_losses(judged: list[tuple[tuple[float, ...], float]]) -> None:
    losses, violations = [loss for loss, _ in judged], [violation for _, violation in judged]
    left, expected = list(range(len(losses))), []
    while left:
        front = [a for a in left if not any(beats(b, a, losses, violations) for b in left)]
        left = [index for index in left if index not in front]
        expected.append(front)
    assert constrained_fronts(losses, violations) == expected
    order, keys = best_first(losses, violations), preferences(losses, violations)
    assert order == sorted(order, key=lambda index: (keys[index], index))
    assert [keys[index][0] for index in order] == [rank for rank, front in enumerate(expected) for _ in front]


def test_constraints_by_hand() -> None:
    losses = [(0.0, 0.0), (3.0, 3.0), (1.0, 2.0), (2.0, 1.0), (0.0, 1.0)]
    assert best_first(losses, [0.5, 0.0, 0.0, 0.0, 0.1]) == [2, 3, 1, 4, 0]
    assert preferences(losses, [0.5, 0.0, 0.0, 0.0, 0.1]) == [(3, -inf), (1, -inf), (0, -inf), (0, -inf), (2, -inf)]


def test_ranks_and_distances_are_those_of_pymoo() -> None:
    """pymoo divides the distances by the number of objectives, which changes no order."""
    pytest.importorskip("pymoo")
    import numpy
    from pymoo.operators.survival.rank_and_crowding.metrics import get_crowding_function
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

    rng = Random(0)
    for number in range(100):
        n_objectives, grid = 2 + number % 3, (4, 20, 10**6)[number // 3 % 3]
        losses = [tuple(rng.randrange(grid) / grid for _ in range(n_objectives)) for _ in range(1 + number % 40)]
        points = numpy.array(losses)
        theirs = NonDominatedSorting().do(points)
        assert [sorted(front.tolist()) for front in theirs] == fronts(losses)
        for front in fronts(losses):
            ours = numpy.array(crowding([losses[index] for index in front])) / n_objectives
            assert numpy.allclose(ours, get_crowding_function("cd").do(points[front]), rtol=1e-12, atol=0)
