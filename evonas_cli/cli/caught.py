"""What is written to a terminal past a board that is drawn there: caught at the descriptors, whoever writes.

Candidates that are evaluated in this process, workers, which inherit the descriptors, and libraries in C all write to
the descriptors 1 and 2. A file takes the terminal's place there, not a pipe: a full pipe would stop a library that
writes while it holds Python's lock, and nobody could read the pipe then.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import sys
import tempfile
from typing import TextIO

FEW, MOST = 1 << 16, 1 << 20
"""Bytes of a line without an end that are kept; bytes between two looks beyond which all but the last FEW are left out,
and bytes from which on the file is emptied."""


class Caught:
    """The descriptors 1 and 2, as far as they are the terminal of `stream`, write to a file from now on.

    `screen` writes to the terminal itself, and `number` is its descriptor. Raises OSError where no file can be made.
    """

    def __init__(self, stream: TextIO) -> None:
        self.number = os.dup(stream.fileno())
        self.screen = os.fdopen(self.number, "w", encoding=stream.encoding, errors=stream.errors, closefd=False)
        terminal = os.fstat(self.number).st_rdev
        self._file = _unnamed()
        self._at, self._rest = 0, ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._before: dict[int, int] = {}
        _flush()
        for descriptor in (1, 2):
            if os.isatty(descriptor) and os.fstat(descriptor).st_rdev == terminal:
                self._before[descriptor] = os.dup(descriptor)
                os.dup2(self._file, descriptor)

    def lines(self) -> list[str]:
        """The lines that were written since the last look, each without its end."""
        size, found = os.fstat(self._file).st_size, list[str]()
        if size - self._at > MOST:
            found.append(f"[{size - FEW - self._at:,} bytes were left out here]")
            self._at = size - FEW
        while chunk := os.pread(self._file, FEW, self._at):
            self._at += len(chunk)
            *whole, self._rest = (self._rest + self._decoder.decode(chunk)).split("\n")
            self._rest = self._rest[-FEW:]
            found += whole
        if self._at > MOST:
            os.ftruncate(self._file, 0)
            self._at = 0
        return [last_of(line) for line in found]

    def restore(self) -> list[str]:
        """The descriptors are the terminal's again. The lines that were not told yet, a last one without an end too."""
        _flush()
        for descriptor, before in self._before.items():
            os.dup2(before, descriptor)
            os.close(before)
        self._before = {}
        found = self.lines()
        return [*found, last_of(self._rest)] if self._rest else found

    def close(self) -> None:
        """Lets go of the file and of the terminal."""
        self.screen.close()
        os.close(self.number)
        os.close(self._file)


def caught(stream: TextIO) -> Caught | None:
    """What is written to the terminal of `stream` from now on; None where `stream` is none."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # a stream of another kind has no descriptor
        return None
    return Caught(stream) if os.isatty(number) else None


def last_of(line: str) -> str:
    """What a terminal would show of a line that goes back to its beginning, as progress bars do."""
    return line.strip("\r").rpartition("\r")[2].expandtabs()


def _unnamed() -> int:
    """A file without a name, to which everybody appends; in memory where the system has such files."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("evonas")
    else:
        with tempfile.TemporaryFile(prefix="evonas-") as made:
            file = os.dup(made.fileno())
    fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
    return file


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # who reads is gone, or the stream is closed
            if stream is not None:
                stream.flush()
