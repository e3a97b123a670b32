"""What may be shown on a terminal: any text, with the characters that would steer the terminal as escapes; numbers."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

from evonas_cli.core.types import Json

_STEERING = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Control characters, line separators, controls of direction, halves of surrogate pairs, and noncharacters."""

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_BREAKS = re.compile(r"[ \t]*[\r\n]+[ \t]*")


def visible(text: str) -> str:
    """The text on one line: characters that steer a terminal become escapes such as `\\x1b`, all others stay."""
    return _STEERING.sub(_escape, text)


def steers(text: str) -> bool:
    """Whether the text holds characters that `visible` would write as escapes."""
    return _STEERING.search(text) is not None


def joined(text: str) -> str:
    """`visible` of the text whose lines are joined by spaces."""
    return visible(_BREAKS.sub(" ", text.strip(" \t\r\n")))


def visible_lines(text: str) -> str:
    """`visible` of each line of the text."""
    return "\n".join([visible(line) for line in text.split("\n")])


def json_line(document: Json, encoding: str = "utf-8") -> str:
    """The document as JSON on one line, which the encoding can write and which steers no terminal.

    Raises ValueError for numbers that are not finite.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(encoding, "surrogatepass" if encoding.lower().startswith("utf") else "strict")
    except UnicodeEncodeError:
        text = json.dumps(document, allow_nan=False)
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class VisibleFormatter(logging.Formatter):
    """Log records of which each line is `visible`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's text, with its traceback where it has one."""
        return visible_lines(super().format(record))


def log_warnings(handler: logging.Handler | None = None) -> None:
    """Warnings of this process's loggers go to the handler, without one to stderr as `evonas: ...`; once."""
    if handler is None:
        handler = logging.StreamHandler()
        handler.setFormatter(VisibleFormatter("evonas: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _escape(found: re.Match[str]) -> str:
    letter = found[0]
    number = ord(letter)
    return _NAMED.get(letter) or (f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}")


def readable(value: Any) -> str:
    """A metric for people: numbers from 1,000 on whole and with separators, others with four digits; beyond 1e15, as
    inf and nan, with an exponent."""
    if isinstance(value, float) and 1 <= abs(value) < 1e15 and (value.is_integer() or abs(value) >= 999.95):
        value = round(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
