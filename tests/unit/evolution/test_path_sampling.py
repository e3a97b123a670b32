"""Paths are drawn once a function, varied edge by edge, and derived in the order of the products of strengths."""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import prod
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.evolution.path_sampling import Paths
from evonas_cli.spaces.nasbench201 import OPERATIONS, NasBench201
from evonas_cli.spaces.nasnet import NasNet

SMALL: Paths[object] = Paths(NasBench201(nodes=3, operations=OPERATIONS[:4]))  # type: ignore[arg-type]
share = st.floats(0.01, 1.0)
strengths = st.lists(st.lists(share, min_size=4, max_size=4), min_size=3, max_size=3)


def test_functions_are_drawn_uniformly_and_not_strings() -> None:
    assert SMALL.distinct is not None
    keys = Counter(SMALL.key(SMALL.relaxed.path(n)) for n in range(64))
    assert len(SMALL.distinct) == len(keys) < 64
    rng = Random(1)
    drawn = Counter(SMALL.key(SMALL.draw(rng)) for _ in range(200 * len(keys)))
    assert set(drawn) == set(keys)
    assert max(drawn.values()) < 300 and min(drawn.values()) > 120, "the commonest has 11 of 64 strings"


def test_new_paths_are_new_and_run_out() -> None:
    rng, known = Random(2), set[str]()
    while found := SMALL.draw_new(7, known, rng):
        keys = [SMALL.key(path) for path in found]
        assert len(set(keys)) == len(keys) and not known & set(keys)
        known |= set(keys)
    assert SMALL.distinct is not None and len(known) == len(SMALL.distinct)


def test_a_fair_step_has_each_operation_of_each_edge_once() -> None:
    paths = SMALL.fair(Random(3))
    assert [sorted(column) for column in zip(*paths, strict=True)] == [[0, 1, 2, 3]] * 3


def test_a_fair_step_uses_the_operations_of_smaller_edges_equally_often() -> None:
    space = NasNet(combinations=2, operations=["identity", "max_pool_3x3"])
    columns = list(zip(*Paths(space).fair(Random(3)), strict=True))
    assert [len(set(column)) for column in columns] == [4, 4, 6, 6] * 2 and {len(column) for column in columns} == {6}
    assert all(sorted(Counter(column).values()) == [1, 1, 2, 2] for column in columns if len(set(column)) == 4)


def test_children_have_operations_of_their_parents() -> None:
    rng = Random(4)
    assert SMALL.mutate((1, 2, 3), 0.0, rng) == (1, 2, 3)
    assert len({SMALL.mutate((1, 2, 3), 1.0, rng) for _ in range(50)}) > 10
    assert {SMALL.cross((0, 0, 0), (1, 1, 1), rng) for _ in range(99)} == set(product((0, 1), repeat=3))


@settings(max_examples=40, deadline=None)
@given(strengths)
def test_the_strongest_come_first_each_function_once_and_none_is_excluded(given_: list[list[float]]) -> None:
    found = SMALL.strongest(given_, 99)
    products = [prod(edge[op] for edge, op in zip(given_, path, strict=True)) for path in found]
    assert products == sorted(products, reverse=True) or all(
        a >= b * (1 - 1e-9) for a, b in zip(products, products[1:], strict=False)
    )
    assert all(0 not in path for path in found)
    assert len({SMALL.key(path) for path in found}) == len(found)
    assert {SMALL.key(p) for p in product((1, 2, 3), repeat=3)} == {SMALL.key(path) for path in found}


def test_skips_are_limited() -> None:
    only_skips = [[0.0, 1.0, 0.1, 0.2]] * 3
    assert SMALL.strongest(only_skips, 1) == [(1, 1, 1)]
    assert SMALL.relaxed.skips(SMALL.strongest(only_skips, 1, most_skips=1)[0]) == 1
