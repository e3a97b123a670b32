"""Routes through shared modules: text, mutation, and what is no route."""

from __future__ import annotations

from random import Random

import pytest

from evonas_cli.network.routes import Route, challenger, parsed, written

SMALLEST = Route((1,), ((0,), (1,)))


def test_text_is_read_back() -> None:
    route = Route.parse("0<0 2<0+1 out<1+2")
    assert route == Route((0, 2), ((0,), (0, 1), (1, 2)))
    assert str(route) == "0<0 2<0+1 out<1+2"
    assert parsed(written((route, SMALLEST))) == (route, SMALLEST)
    assert route.edges == ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3))


@pytest.mark.parametrize(
    "text", ["", "out<0", "0<0", "0<1 out<1", "0<0 1<0 out<1", "0<0 out<1+1", "a<0 out<1", "0<0 out<"]
)
def test_what_is_no_route_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        Route.parse(text)
    assert "\n" not in str(refused.value) and str(refused.value)


def test_a_node_is_put_between_an_ancestor_and_a_node() -> None:
    assert str(SMALLEST.inserted(0, 1, 3)) == "3<0 1<0+1 out<2"
    assert str(SMALLEST.inserted(1, 2, 3)) == "1<0 3<1 out<1+2"
    assert str(SMALLEST.inserted(0, 2, 3)) == "1<0 3<0 out<1+2"
    assert Route.parse("1<0 3<1 out<1+2").ancestors(3) == [0, 1, 2]


def test_challengers_have_one_node_more_until_there_are_too_many() -> None:
    rng, route = Random(1), SMALLEST
    for count in range(2, 6):
        mutant, new = challenger(route, 4, 5, rng)
        assert len(mutant.modules) == count and mutant.modules[new - 1] in range(4)
        assert len(mutant.edges) == len(route.edges) + 2
        route = mutant
    mutant, new = challenger(route, 4, 5, rng)
    assert new == 0 and mutant.sources == route.sources
    assert sum(a != b for a, b in zip(mutant.modules, route.modules, strict=True)) == 1
    assert challenger(SMALLEST.changed(1, 0), 1, 1, rng) == (SMALLEST.changed(1, 0), 0)
