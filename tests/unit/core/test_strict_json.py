"""JSON that evonas takes in, and what it refuses with one kind of error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.strict_json import DEEPEST, is_number, parse, printable

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(values, st.booleans())
def test_what_json_holds_is_read_as_it_is(value: object, ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii)
    assert parse(text) == value and parse(text.encode()) == value


def test_the_depth_has_a_limit() -> None:
    assert parse("[" * DEEPEST + "1" + "]" * DEEPEST)
    for text in ("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), '{"a":' * 500 + "1" + "}" * 500, "[" * 200_000):
        with pytest.raises(ValueError, match="nested"):
            parse(text)


@pytest.mark.parametrize(
    "text", ["NaN", "[-Infinity]", "1e999", "-1e999", '"\\ud800"', '{"\\udc00": 1}', "9" * 5000, "", "{", b'"\xff"']
)
def test_other_values_are_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_a_number_has_a_finite_float() -> None:
    assert all(map(is_number, (0, -1.5, True, 10**300)))
    assert not any(map(is_number, (10**400, float("nan"), float("inf"), "1", None, [1])))


def test_text_is_made_printable_by_escapes() -> None:
    assert printable("caf\xe9") == "caf\xe9"
    assert printable("a\udc80b") == "a\\udc80b"
