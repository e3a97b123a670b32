"""Values as words of the page: numbers, spans of time, shares, and text that steers nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from evonas_cli.core.display import readable, visible
from evonas_cli.core.types import Json

DASH = "\u2013"


def number(value: Any) -> str:
    """Numbers as `readable`, a dash for None, and any other value as JSON."""
    if value is None:
        return DASH
    return readable(value) if isinstance(value, int | float) and not isinstance(value, bool) else plain(value)


def duration(seconds: float | None) -> str:
    """A span of time: `0.24 s`, `2 min 48 s`, `3 h 5 min`, `2 d 4 h`; a dash for None."""
    if seconds is None:
        return DASH
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.3g} s"
    for size, unit, less, lesser in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // less} {lesser}"
    return f"{whole // 60} min {whole % 60} s"


def time_unit(seconds: float) -> tuple[float, str]:
    """The unit in which a span of time is shown, in seconds, and its name."""
    for size, name in ((172800.0, "days"), (7200.0, "hours"), (120.0, "minutes")):
        if seconds >= size:
            return {"days": 86400.0, "hours": 3600.0, "minutes": 60.0}[name], name
    return (1.0, "seconds") if seconds >= 1 or seconds <= 0 else (1e-3, "milliseconds")


def percent(share: float | None) -> str:
    """A share in whole percent, with one digit more where that would say none or all of few; a dash for None."""
    if share is None:
        return DASH
    return f"{share:.1%}" if 0 < share < 0.01 or 0.99 < share < 1 else f"{share:.0%}"


def plain(value: Json) -> str:
    """A JSON value on one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def pairs(value: Json) -> str:
    """A JSON value on one line, an object as its names and values: `inputs [1, 8, 8], outputs 10`."""
    if not isinstance(value, Mapping):
        return plain(value)
    return ", ".join([f"{name.replace('_', ' ')} {plain(one)}" for name, one in value.items()])


def sentence(text: str) -> str:
    """A line as a sentence: with a capital letter at its start and a full stop at its end."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def cut(text: str, limit: int) -> str:
    """The text, a longer one with three dots at its end."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def script_json(data: Json) -> str:
    """JSON that may stand in a script element: it holds no `<`, `>`, `&` and no character beyond ASCII.

    Texts are `visible`. Raises ValueError for numbers that are not finite.
    """
    shown = json.dumps(_visible(data), allow_nan=False, separators=(",", ":"))
    return shown.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _visible(data: Any) -> Any:
    if isinstance(data, str):
        return visible(data)
    if isinstance(data, Mapping):
        return {visible(key): _visible(value) for key, value in data.items()}
    return [_visible(item) for item in data] if isinstance(data, list | tuple) else data
