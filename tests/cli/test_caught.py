"""What is written to the descriptors of a terminal while a board is shown."""

from __future__ import annotations

import os
import pty
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from evonas_cli.cli.caught import FEW, MOST, Caught, caught, last_of


@contextmanager
def on_a_terminal() -> Iterator[TextIO]:
    """A terminal that is the process's stdout and stderr meanwhile."""
    leader, follower = pty.openpty()
    before = [os.dup(number) for number in (1, 2)]
    sys.stdout.flush()
    for number in (1, 2):
        os.dup2(follower, number)
    try:
        with os.fdopen(follower, "w") as stream:
            yield stream
    finally:
        for number, own in zip((1, 2), before, strict=True):
            os.dup2(own, number)
            os.close(own)
        os.close(leader)


def test_lines_come_in_their_order_and_the_last_at_the_end() -> None:
    found = []
    with on_a_terminal() as terminal:
        held = Caught(terminal)
        for number, words in ((1, b"one\ntwo\nhal"), (1, b""), (2, b"f\n\xc3"), (2, b"\xbc\trest")):
            os.write(number, words)
            found.append(held.lines())
        found.append(held.restore())
        back = os.isatty(1) and os.isatty(2)
        held.close()
    assert found == [["one", "two"], [], ["half"], [], ["ü       rest"]] and back


def test_much_is_cut_and_the_file_stays_small() -> None:
    line = b"x" * 99 + b"\n"
    with on_a_terminal() as terminal:
        held = Caught(terminal)
        for _ in range(3 * MOST // len(line)):
            os.write(1, line)
        found = held.lines()
        os.write(1, b"end\n")
        after = held.lines(), held.restore()
        held.close()
    assert found[0].endswith("bytes were left out here]") and len(found) <= FEW // 100 + 2
    assert after == (["end"], [])


def test_progress_bars_leave_their_last_state() -> None:
    assert last_of("\r 10 %\r 20 %\r") == " 20 %" and last_of("plain") == "plain"


def test_what_is_no_terminal_is_not_caught(tmp_path: object) -> None:
    import io

    assert caught(io.StringIO()) is None
    with open(os.devnull, "w") as nowhere:
        assert caught(nowhere) is None
