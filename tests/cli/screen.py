"""A terminal for tests: runs a command as its foreground process, types keys, and shows what stands on the screen."""

from __future__ import annotations

import os
import pty
import re
import select
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

COLUMNS, LINES = 100, 40
_SEQUENCE = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])")


class Screen:
    """Characters in rows, and whether the cursor shows; knows what a board of Rich uses and fails for anything else."""

    def __init__(self, columns: int = COLUMNS) -> None:
        self.rows, self.row, self.column, self.cursor_shown = [""], 0, 0, True
        self.columns = columns

    def narrow(self, columns: int) -> None:
        """The window becomes narrower, and lines that do not fit any more are wrapped anew."""
        parts = [[row[at : at + columns] for at in range(0, len(row), columns)] or [""] for row in self.rows]
        self.row = sum(map(len, parts[: self.row])) + self.column // columns
        self.rows, self.columns, self.column = [text for part in parts for text in part], columns, self.column % columns

    def cut(self, columns: int) -> None:
        """The window becomes narrower, and what does not fit any more is lost."""
        self.rows, self.columns = [row[:columns] for row in self.rows], columns

    def write(self, text: str) -> None:
        """Puts text at the cursor. A row that is full wraps when the next character comes."""
        while text:
            if found := _SEQUENCE.match(text):
                self._obey(*found.groups())
                text = text[found.end() :]
                continue
            letter, text = text[0], text[1:]
            if letter == "\r":
                self.column = 0
            elif letter == "\n":
                self._down()
            else:
                assert letter.isprintable(), f"{letter!r} reached the terminal"
                if self.column == self.columns:
                    self._down()
                    self.column = 0
                line = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = line[: self.column] + letter + line[self.column + 1 :]
                self.column += 1

    def lines(self) -> list[str]:
        """The rows as far as anything stands on them."""
        return "\n".join(row.rstrip() for row in self.rows).rstrip("\n").split("\n")

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append("")

    def _obey(self, private: str, number: str, letter: str) -> None:
        if private:
            assert (number, letter) in (("25", "h"), ("25", "l")), (number, letter)
            self.cursor_shown = letter == "h"
        elif letter == "A":
            self.row = max(0, self.row - int(number or 1))
        elif letter == "K":
            assert number == "2", "only whole lines are erased"
            self.rows[self.row] = ""
        else:
            assert letter == "m", letter


class Terminal:
    """A command that runs on a terminal of 100 columns and 40 lines; `start` are Python's arguments in its place."""

    def __init__(
        self,
        folder: Path,
        words: list[str],
        environment: Mapping[str, str],
        start: Sequence[str] = ("-m", "evonas_cli"),
    ) -> None:
        self.shown, self.screen = "", Screen()
        self._pid, self._leader = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            size = {"COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm"}
            os.execve(sys.executable, [sys.executable, *start, *words], {**os.environ, **size, **environment})

    def press(self, keys: bytes) -> None:
        """Types keys."""
        os.write(self._leader, keys)

    def wait_for(self, seen: Callable[[str], bool], seconds: float = 60.0) -> None:
        """Reads until what was shown so far is as wanted. Fails when the command ends before."""
        limit = time.monotonic() + seconds
        while not seen(self.shown):
            assert time.monotonic() < limit and self._read(), self.shown[-2000:]

    def end(self) -> int:
        """Reads to the end; the exit code, negative for a signal."""
        while self._read():
            pass
        _, status = os.waitpid(self._pid, 0)
        os.close(self._leader)
        self.screen.write(self.shown)
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        waiting = select.poll()  # `select.select` takes no descriptor above 1,023
        waiting.register(self._leader, select.POLLIN)
        waiting.poll(60_000)
        try:
            chunk = os.read(self._leader, 65536)
        except OSError:  # the command has closed the terminal
            return False
        self._rest = getattr(self, "_rest", b"") + chunk
        try:
            self.shown, self._rest = self.shown + self._rest.decode(), b""
        except UnicodeDecodeError as error:  # a character came in two parts
            self.shown, self._rest = self.shown + self._rest[: error.start].decode(), self._rest[error.start :]
        return bool(chunk)
