"""Non-dominated sorting and crowding, against brute force and by hand."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.pareto import dominates
from evonas_cli.evolution.nondominated import best_first, crowding, fronts

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
    assert best_first([(0.0, 5.0), (1.0, 4.5), (2.0, 1.0), (5.0, 0.0), (6.0, 6.0)]) == [0, 3, 2, 1, 4]
