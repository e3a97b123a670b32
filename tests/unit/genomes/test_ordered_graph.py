"""Ordered graphs: every change keeps each node on a path, and what is no such graph is named."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.genomes.ordered_graph import Edges, check, connect, draw, flip, flips, insert, remove


@st.composite
def graphs(draw_: st.DrawFn, least: int = 1) -> tuple[Edges, Random]:
    rng = Random(draw_(st.integers(0, 10**6)))
    return draw(draw_(st.integers(least, 9)), draw_(st.sampled_from([0.0, 0.2, 0.5, 1.0])), rng), rng


@given(graphs())
def test_what_is_drawn_is_a_graph(drawn: tuple[Edges, Random]) -> None:
    check(drawn[0])


def test_the_probability_of_an_edge_goes_from_few_to_all() -> None:
    assert draw(5, 1.0, Random(0)) == ((0,), (0, 1), (0, 1, 2), (0, 1, 2, 3), (0, 1, 2, 3, 4))
    few = [sum(map(len, draw(9, 0.0, Random(seed)))) for seed in range(50)]
    some = [sum(map(len, draw(9, 0.3, Random(seed)))) for seed in range(50)]
    assert max(few) < 17 and sum(few) < sum(some)


@given(graphs())
def test_a_flip_changes_one_edge_and_flips_back(drawn: tuple[Edges, Random]) -> None:
    edges, _ = drawn
    for source, target in flips(edges):
        other = flip(edges, source, target)
        check(other)
        assert (source in other[target - 1]) != (source in edges[target - 1])
        assert flip(other, source, target) == edges
    possible = {(source, target) for target in range(1, len(edges) + 1) for source in range(target)}
    for source, target in possible - set(flips(edges)):
        with pytest.raises(ValueError, match=r"orphan|second output"):
            check(flip(edges, source, target))


@given(graphs())
def test_a_node_that_is_inserted_stands_between_two_others(drawn: tuple[Edges, Random]) -> None:
    edges, rng = drawn
    source, target = rng.choice([(source, node) for node, read in enumerate(edges, 1) for source in read])
    grown = insert(edges, source, target)
    check(grown)
    assert len(grown) == len(edges) + 1
    assert grown[target - 1] == (source,)
    assert [node for node, read in enumerate(grown, 1) if target in read] == [target + 1]
    assert source not in grown[target]
    assert remove(grown, target, rng) == edges, "removing the node gives the edge back"


@given(graphs(least=2), st.data())
def test_a_node_that_is_removed_leaves_its_readers_what_it_read(drawn: tuple[Edges, Random], data: Any) -> None:
    edges, rng = drawn
    node = data.draw(st.integers(1, len(edges)))
    left = remove(edges, node, rng)
    check(left)
    assert len(left) == len(edges) - 1
    for reader, read in enumerate(edges, 1):
        if node in read:
            assert set(edges[node - 1]) <= set(left[reader - 2])


@given(graphs())
def test_what_is_connected_already_stays(drawn: tuple[Edges, Random]) -> None:
    assert connect(drawn[0], drawn[1]) == drawn[0]


def test_nodes_without_a_reader_get_a_later_one() -> None:
    found = {connect([(0,), (0,), (0,)], Random(seed)) for seed in range(40)}
    assert found == {((0,), (0, 1), (0, 2)), ((0,), (0,), (0, 1, 2))}


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([[0], [1, 2]], "node 2: inputs must be earlier nodes, else there is a cycle"),
        ([[1]], "else there is a cycle"),
        ([[0], [-1, 1]], "must be earlier nodes"),
        ([[0], []], "node 2 is an orphan"),
        ([[0], [0], [2]], "node 1 is a second output beside node 3"),
        ([[0], [1, 0]], "different and ascending"),
        ([[0], [1, 1]], "different and ascending"),
        ([[0], ["1"]], "list of numbers"),
        ([[0], [True]], "list of numbers"),
        ([0], "list of numbers"),
    ],
)
def test_what_is_no_such_graph(edges: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check(edges)
