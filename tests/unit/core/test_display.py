"""What steers a terminal becomes visible; everything else stays; JSON stays JSON."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.display import VisibleFormatter, joined, json_line, steers, visible, visible_lines

ORDINARY = ["naïve", "a\u00a0b", "1\u202f000", "👩\u200d👩\u200d👧", "e\u0301", "نص", "עברית", "字", "~\\x1b"]


@pytest.mark.parametrize("text", ORDINARY)
def test_valid_text_stays(text: str) -> None:
    assert visible(text) == text and not steers(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\x00\x07\x7f\x9b", r"\x00\x07\x7f\x9b"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\u202eabc\u2069", r"\u202eabc\u2069"),
        ("\u200e\u200f\u061c\u2028\u2029", r"\u200e\u200f\u061c\u2028\u2029"),
        ("x\udce9", r"x\udce9"),
        ("\ufffe", r"\ufffe"),
    ],
)
def test_what_steers_becomes_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown and steers(text)


@given(st.text(alphabet=st.characters(codec=None)))
def test_shown_text_is_inert_and_shown_once(text: str) -> None:
    shown = visible(text)
    assert not steers(shown) and visible(shown) == shown
    shown.encode()


def test_lines_are_joined_by_spaces_and_nothing_else_changes() -> None:
    assert joined(" two  spaces\u00a0stay \n  next\r\nlast\n") == "two  spaces\u00a0stay next last"
    assert visible_lines("a\x1b\nb\u202e\n") == "a\\x1b\nb\\u202e\n"


@given(st.text(alphabet=st.characters(codec=None)), st.sampled_from(["utf-8", "ascii", "latin-1", "cp1252"]))
def test_json_comes_back_and_can_be_written(text: str, encoding: str) -> None:
    line = json_line({"text": text}, encoding)
    line.encode(encoding)
    assert not steers(line)
    assert json.loads(line)["text"].encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")


def test_json_is_readable_where_it_can_be() -> None:
    assert json_line(["é", "\x1b", "\u202e", "\x7f", "\udce9"]) == r'["é", "\u001b", "\u202e", "\u007f", "\udce9"]'


def test_log_records_are_visible() -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, "bad %s", ("\x1b[2J",), None)
    assert VisibleFormatter("evonas: %(message)s").format(record) == r"evonas: bad \x1b[2J"
