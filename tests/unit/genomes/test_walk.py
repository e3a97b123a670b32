"""Walks: traces replay, one decision can be redrawn, and what no walk gives is refused."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.genomes.choices import Choice
from evonas_cli.genomes.walk import Decision, Program, kinds_of, legal, redraw, replay, run, uniform, walk_choices

KINDS = {"layers": (1, 2, 3), "width": (8, 16, 32), "activation": ("relu", "tanh")}


def tower() -> Program[tuple[object, ...]]:
    """Layers, then for each its width (never smaller than the one before) and links to earlier ones."""
    layers: list[object] = []
    least = 0
    for place in range(1 + (yield Decision("layers"))):
        least = yield Decision("width", tuple(range(least, 3)))
        layers.append((KINDS["width"][least], (yield Decision("anchor", links=place))))
    return tuple(layers)


@given(st.integers(0, 10**6))
def test_a_trace_replays_to_its_genome(seed: int) -> None:
    genome, trace = run(tower(), uniform(KINDS, Random(seed)))
    again, decisions = replay(tower(), trace, KINDS)
    assert again == genome
    assert all(answer in legal(decision, KINDS) for decision, answer in zip(decisions, trace, strict=True))


@given(st.integers(0, 10**6))
def test_redrawing_gives_another_legal_walk(seed: int) -> None:
    rng = Random(seed)
    _, trace = run(tower(), uniform(KINDS, rng))
    genome, other = redraw(tower, trace, KINDS, rng)
    assert other != trace
    assert replay(tower(), other, KINDS)[0] == genome


def test_redrawing_changes_one_decision_where_the_others_stay_legal() -> None:
    choices = [Choice("a", (1, 2, 3)), Choice("b", ("x", "y")), Choice("c", (0,))]
    kinds, rng = kinds_of(choices), Random(0)
    places = set()
    for _ in range(100):
        _, trace = run(walk_choices(choices), uniform(kinds, rng))
        _, other = redraw(lambda: walk_choices(choices), trace, kinds, rng)
        [place] = [place for place, (a, b) in enumerate(zip(trace, other, strict=True)) if a != b]
        places.add(place)
    assert places == {0, 1}


def test_nothing_to_redraw() -> None:
    only = [Choice("a", (1,))]
    assert redraw(lambda: walk_choices(only), (0,), kinds_of(only), Random(0)) == ((1,), (0,))


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        ((0, 2), "goes on after 2 decisions, with anchor"),
        ((0, 2, 0, 1), "ends after 3 decisions; the trace has 4"),
        ((3,), r"decision 1 \(layers\) cannot be answered by 3"),
        ((1, 2, 0, 1), r"decision 4 \(width\) cannot be answered by 1"),
        ((1, 0, 1), r"decision 3 \(anchor\) cannot be answered by 1"),
    ],
)
def test_what_is_no_walk_is_refused(trace: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replay(tower(), trace, KINDS)


def test_links_are_fair_coins() -> None:
    rng = Random(1)
    bits = [uniform(KINDS, rng)(Decision("anchor", links=3)) for _ in range(4000)]
    assert uniform(KINDS, rng)(Decision("anchor", links=0)) == 0
    for bit in range(3):
        assert 0.47 < sum(answer >> bit & 1 for answer in bits) / 4000 < 0.53
