"""The codec: what goes out comes back, and what a hint does not describe is refused."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core import codec
from evonas_cli.core.codec import CodecError, decode, encode, later, state_hint
from evonas_cli.core.types import Proposal

G = TypeVar("G")


@dataclass(frozen=True)
class Leaf:
    number: float
    label: str | None


@dataclass(frozen=True)
class Tree(Generic[G]):
    genome: G
    leaves: tuple[Leaf, ...]
    table: dict[int, list[bool]]
    pair: tuple[int, str]
    either: Leaf | int | None


@dataclass(frozen=True)
class Grown:
    number: int
    names: tuple[str, ...] = later(tuple)


def upper(genome: str) -> str:
    return genome.upper()


def lower(data: Any) -> str:
    return str(data).lower()


leaves = st.builds(Leaf, st.floats(allow_nan=False), st.none() | st.text())
trees = st.builds(
    Tree,
    st.text("abc"),
    st.lists(leaves).map(tuple),
    st.dictionaries(st.integers(), st.lists(st.booleans())),
    st.tuples(st.integers(), st.text()),
    st.none() | st.integers() | leaves,
)


@given(trees)
def test_what_goes_out_comes_back(tree: Tree[str]) -> None:
    text = json.dumps(encode(Tree[str], tree, upper), allow_nan=False)
    assert decode(Tree[str], json.loads(text), lower) == tree


def test_genomes_are_written_by_the_space() -> None:
    tree = Tree("abc", (), {}, (1, "x"), None)
    assert encode(Tree, tree, upper)["genome"] == "ABC"  # type: ignore[index, call-overload]


def test_infinities_survive_and_json_stays_strict() -> None:
    assert decode(float, encode(float, math.inf, upper), lower) == math.inf
    assert decode(float | None, encode(float | None, -math.inf, upper), lower) == -math.inf
    assert math.isnan(decode(float, encode(float, math.nan, upper), lower))


@pytest.mark.parametrize(
    ("hint", "value"),
    [(int, 1.5), (int, True), (str, 3), (bool, 1), (tuple[int, int], (1,)), (Leaf, 3), (Leaf | None, "x"), (set, {1})],
)
def test_what_the_hint_does_not_describe_is_refused(hint: Any, value: Any) -> None:
    with pytest.raises(CodecError):
        encode(hint, value, upper)


@pytest.mark.parametrize(
    ("hint", "data"),
    [(int, "1"), (tuple[int, ...], 3), (Leaf, {"number": 1.0}), (Leaf, [1]), (tuple[int, str], [1]), (Leaf | None, [])],
)
def test_json_that_the_hint_does_not_describe_is_refused(hint: Any, data: Any) -> None:
    with pytest.raises(CodecError):
        decode(hint, data, lower)


@pytest.mark.parametrize("hint", [float | None, float | tuple[int, ...]])
def test_whole_numbers_stand_for_floats(hint: Any) -> None:
    assert decode(hint, encode(hint, 3, upper), lower) == 3.0
    assert decode(float | tuple[int, ...], [1, 2], lower) == (1, 2)


def test_other_leaf_types_can_join(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_LEAVES", {})
    codec.register(complex, lambda value: [value.real, value.imag], lambda data: complex(*data))
    assert decode(tuple[complex, ...], encode(tuple[complex, ...], (1 + 2j,), upper), lower) == (1 + 2j,)


@pytest.mark.parametrize("options", [None, 3, "a", [1, {"b": None}], {"start": "weights", "members": [1, 2.5]}])
def test_json_in_a_value_is_written_as_it_is(options: Any) -> None:
    proposal = Proposal("g", options=options)
    written = encode(Proposal[str], proposal, upper)
    assert written["options"] == options
    assert decode(Proposal[str], json.loads(json.dumps(written)), lower) == proposal


def test_a_field_that_came_later_is_written_only_where_it_says_something() -> None:
    for hint in (Grown, Grown | None):
        assert encode(hint, Grown(3), upper) == {"number": 3}
        assert decode(hint, {"number": 3}, lower) == decode(hint, {"number": 3, "names": []}, lower) == Grown(3)
        written = encode(hint, Grown(3, ("a",)), upper)
        assert written == {"number": 3, "names": ["a"]} and decode(hint, written, lower) == Grown(3, ("a",))
        for data in ({"names": []}, {"number": 3, "other": 1}):
            with pytest.raises(CodecError):
                decode(hint, data, lower)


def test_a_state_must_be_annotated() -> None:
    class Silent:
        def init(self, rng):  # type: ignore[no-untyped-def]
            return 0

    with pytest.raises(CodecError, match="does not annotate"):
        state_hint(Silent())


def test_options_of_a_proposal_come_back() -> None:
    """The hints of a generic class are resolved, so that `Json` in them is no longer equal to `Json` itself."""
    options: Any = {"start": "inherited", "morphs": [{"morph": "kernel", "at": 1}], "distil": 5}
    for value in (options, [1, None], "weights", None):
        proposal = Proposal("a", continues=3, options=value)
        data = json.loads(json.dumps(encode(Proposal[str], proposal, upper)))
        assert decode(Proposal[str], data, lower) == proposal
