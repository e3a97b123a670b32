"""JSON as evonas takes it in: finite numbers, text that UTF-8 can hold, and a depth that every reader survives."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

DEEPEST = 400
"""How many lists and mappings may lie in each other."""


def parse(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError, and nothing else, for what evonas does not take in."""
    try:
        written = text.decode() if isinstance(text, bytes) else text
        data = _DECODER.decode(written)
    except RecursionError:
        raise ValueError(f"lists nested more than {DEEPEST} deep") from None
    # Both conditions are cheap and seldom hold; the walk they spare takes longer than the parsing.
    if written.count("[") + written.count("{") > DEEPEST or "\\u" in written:
        check(data)
    return data


def check(data: Any) -> None:
    """Raises ValueError for a JSON value that is nested too deeply or holds text that UTF-8 cannot hold."""
    level, depth = [data], 0
    while level:
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                _check_text(value)
            elif isinstance(value, dict):
                for key in value:
                    _check_text(key)
                below += value.values()
            elif isinstance(value, list):
                below += value
        level, depth = below, depth + 1
        if depth > DEEPEST + 1:
            raise ValueError(f"lists nested more than {DEEPEST} deep")


def is_number(value: object) -> bool:
    """Whether it is a number that has a finite float."""
    try:
        return isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:
        return False


def printable(text: object) -> str:
    """The text of a value, with an escape such as \\udc80 for each character that UTF-8 cannot hold."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("text that UTF-8 cannot hold") from None


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number that is too large")
    return number


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word}, which is no JSON")


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_refuse)
