"""Sequences of bounded length: no operator makes an empty or a longer one, and each change has its chance."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.evolution.sequences import draw, mutate, splice

OPTIONS = "abcdef"


@st.composite
def pairs(draw_: st.DrawFn) -> tuple[tuple[str, ...], tuple[str, ...], int, Random]:
    most = draw_(st.integers(1, 6))
    rng = Random(draw_(st.integers(0, 10**6)))
    return draw(OPTIONS, most, rng), draw(OPTIONS, most, rng), most, rng


@given(pairs())
def test_a_child_has_a_head_of_the_first_and_a_tail_of_the_second(
    drawn: tuple[tuple[str, ...], tuple[str, ...], int, Random],
) -> None:
    first, second, most, rng = drawn
    child = splice(first, second, most, rng)
    assert 1 <= len(child) <= most
    splits = [(first[:k], second[len(second) - (len(child) - k) :]) for k in range(len(child) + 1)]
    assert any(head + tail == child for head, tail in splits if len(head) + len(tail) == len(child))


@given(pairs())
def test_a_mutant_is_one_change_away(drawn: tuple[tuple[str, ...], tuple[str, ...], int, Random]) -> None:
    sequence, _, most, rng = drawn
    mutant = mutate(sequence, OPTIONS, most, rng)
    assert 1 <= len(mutant) <= most and mutant != sequence
    longer, shorter = max(sequence, mutant, key=len), min(sequence, mutant, key=len)
    if len(longer) == len(shorter):
        assert sum(a != b for a, b in zip(sequence, mutant, strict=True)) == 1
    else:
        assert shorter in [(*longer[:place], *longer[place + 1 :]) for place in range(len(longer))]


def test_lengths_and_changes_are_even() -> None:
    rng = Random(0)
    lengths = Counter(len(draw(OPTIONS, 4, rng)) for _ in range(4000))
    assert sorted(lengths) == [1, 2, 3, 4] and all(abs(count - 1000) < 120 for count in lengths.values())
    changes = Counter(len(mutate(("a", "b"), OPTIONS, 4, rng)) for _ in range(3000))
    assert sorted(changes) == [1, 2, 3] and all(abs(count - 1000) < 120 for count in changes.values())


@pytest.mark.parametrize(
    ("sequence", "options", "most", "found"),
    [
        (("a",), "a", 1, {("a",)}),
        (("a",), "ab", 1, {("b",)}),
        (("a",), "a", 2, {("a", "a")}),
        (("a", "a"), "a", 2, {("a",)}),
    ],
)
def test_what_is_possible_at_the_bounds(
    sequence: tuple[str, ...], options: str, most: int, found: set[tuple[str, ...]]
) -> None:
    assert {mutate(sequence, options, most, Random(seed)) for seed in range(20)} == found
