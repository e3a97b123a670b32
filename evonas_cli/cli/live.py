"""A part of a terminal that is drawn over and over, below what else is said, and is gone at the end.

It survives a change of the terminal's width. Most terminals then wrap the lines that they show anew, so that a line of
120 columns takes two rows of 60; others cut them off. Which one it is, is known of some only.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, RenderableType

from evonas_cli.cli.caught import caught, last_of
from evonas_cli.cli.stopping import parting
from evonas_cli.core.display import visible
from evonas_cli.evaluation.interrupts import deferred

SECONDS = 0.25
"""Between two frames."""
SPARE = 6
"""Columns right of a frame: a terminal may show `^C` three times in the middle of one, and no line must wrap then."""
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_HIDE, _SHOW, _CLEAR, _UP = "\x1b[?25l", "\x1b[?25h", "\r\x1b[2K", "\x1b[1A\x1b[2K"
_SHOW_CURSOR = b"\r\n\x1b[?25h"

Draw = Callable[[int, int], RenderableType]
"""Makes a frame for so many columns and lines."""


class Live:
    """Frames on a stream that is a terminal. `say` writes a line above the frame; any thread may call it.

    `size` tells the columns and lines of the terminal, which the environment or the terminal says otherwise. `heard`
    gives the lines that others wrote since it was called last; each frame stands below them.
    """

    def __init__(
        self,
        draw: Draw,
        stream: TextIO,
        size: Callable[[], tuple[int, int]] | None = None,
        heard: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._draw, self._stream, self._heard = draw, stream, heard
        self._console = Console(file=io.StringIO(), highlight=False, force_terminal=True)
        self._size = size or _measured
        self._lock, self._over = threading.RLock(), threading.Event()
        self._widths: list[int] = []
        self._columns = 0
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def start(self) -> None:
        """Hides the cursor and draws the first frame."""
        self._write(_HIDE)
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """Draws how everything ended, for those who record what terminals show; removes it and shows the cursor."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
            self.refresh()
        with self._lock:
            self._write(self._erasing() + _SHOW)
            self._widths = []

    def refresh(self) -> None:
        """Draws a frame in the place of the last one."""
        with self._lock:
            above = "".join(f"{visible(line)}\n" for line in self._heard())
            columns, rows = self._size()
            lines = self._lines(columns, rows)
            self._write(self._erasing() + above + "\n".join(lines))
            self._widths = [cell_len(_STYLE.sub("", line)) for line in lines]
            self._columns = columns

    def say(self, text: str) -> None:
        """A line above the frame, of which nothing steers the terminal."""
        with self._lock:
            self._write(f"{self._erasing()}{visible(text)}\n")
            self._widths = []
            if not self._over.is_set():
                self.refresh()

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing is drawn while the context lasts."""
        with self._lock:
            yield

    def _lines(self, columns: int, rows: int) -> list[str]:
        """The frame as far as it fits, and an empty line, on which the terminal shows `^C`."""
        self._console.width = columns
        with self._console.capture() as captured:
            self._console.print(self._draw(max(1, columns - SPARE), rows), end="")
        lines = captured.get().rstrip("\n").split("\n")
        return [*lines[: max(1, rows - 1)], ""]

    def _erasing(self) -> str:
        """What removes the frame from the terminal, which may have another width by now."""
        if not self._widths:
            return ""
        columns, rows = self._size()[0], len(self._widths)
        if 0 < columns < self._columns and wraps_anew():
            rows = sum(max(1, math.ceil(width / columns)) for width in self._widths)
        return _CLEAR + _UP * (rows - 1)

    def _repeat(self) -> None:
        while not self._over.wait(SECONDS):
            self.refresh()

    def _write(self, text: str) -> None:
        """Writes at once. Once the terminal is gone nothing is drawn."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._over.set()


class _Above(io.TextIOBase):
    """Takes what is written to a stream and says it above the frame, line by line."""

    def __init__(self, live: Live, stream: TextIO) -> None:
        self._live, self._stream, self._rest = live, stream, ""

    def write(self, text: str) -> int:
        """Says the lines that are whole."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._live.say(last_of(line))
        return len(text)

    def end(self) -> None:
        """Says what stands on the last line, if anything does."""
        if self._rest:
            self.write("\n")

    def fileno(self) -> int:
        """That of the stream."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """No: who writes here need not move the cursor."""
        return False


def _measured(descriptor: int | None = None) -> tuple[int, int]:
    """Columns and lines of the terminal now, which has this descriptor where the usual ones write elsewhere."""
    if descriptor is not None:
        with contextlib.suppress(OSError):  # the terminal is gone
            size = os.get_terminal_size(descriptor)
            own = [os.environ.get(name, "") for name in ("COLUMNS", "LINES")]
            columns, lines = (int(word) if word.isdecimal() else known for word, known in zip(own, size, strict=True))
            if columns > 0 and lines > 0:
                return columns, lines
    known = Console().size
    return known.width, known.height


def wraps_anew() -> bool:
    """Whether the terminal wraps lines anew that it shows when it becomes narrower."""
    term = os.environ.get("TERM", "")
    own = "XTERM_VERSION" in os.environ or term == "linux"
    return not own and (not term.startswith("screen") or "TMUX" in os.environ)


@contextmanager
def showing(draw: Draw, stream: TextIO) -> Iterator[Live]:
    """Frames while the context lasts. What this process and those that it starts write to the terminal appears above
    them, remarks and warnings of this process among it."""
    held, before = caught(stream), sys.stderr
    live = Live(draw, stream) if held is None else Live(draw, held.screen, partial(_measured, held.number), held.lines)
    above = _Above(live, before)
    handlers = [h for h in logging.getLogger().handlers if isinstance(h, logging.StreamHandler) and h.stream is before]
    with parting(_SHOW_CURSOR, 2 if held is None else held.number):
        try:
            with deferred():
                live.start()
                sys.stderr = above
                for handler in handlers:
                    handler.setStream(above)
            yield live
        finally:
            with deferred():
                sys.stderr = before
                for handler in handlers:
                    handler.setStream(before)
                above.end()
                for line in () if held is None else held.restore():
                    live.say(line)
                live.stop()
                if held is not None:
                    held.close()
