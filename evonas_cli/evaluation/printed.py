"""What a process prints while it evaluates candidates (stdout, stderr, warnings), kept in the candidates' folders.

What Python code prints is kept; what a library writes to the descriptors by itself is not.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Unit

LOG = "log.txt"
"""The file in a candidate's folder with what was printed meanwhile; no result depends on it."""
HEAD = 48 * 1024
"""Bytes of a candidate's file that are written as they come, so that a worker that dies has left them."""
TAIL = 16 * 1024
"""The last bytes of an evaluation that printed more, which are added at its end."""


class _File:
    """A candidate's file, made by its first word. Another evaluation of the candidate adds to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._room: int | None = None
        self._cut, self._tail = 0, b""

    def add(self, data: bytes) -> None:
        """Keeps the bytes as far as there is room, and else the last ones. Raises OSError."""
        if self._room is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._room = max(0, HEAD - self._append(b""))
        head, rest = data[: self._room], data[self._room :]
        if head:
            self._append(head)
            self._room -= len(head)
        self._tail += rest
        self._cut += max(0, len(self._tail) - TAIL)
        self._tail = self._tail[-TAIL:]

    def close(self) -> None:
        """Writes the last bytes. Raises OSError."""
        if self._tail:
            self._append((f"\n[{self._cut:,} bytes were left out here]\n".encode() if self._cut else b"") + self._tail)

    def _append(self, data: bytes) -> int:
        """Writes at the file's end, through no symbolic link; the size that the file had."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(self._path, flags, 0o666), "ab", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            file.write(data)
        return size


class Printed:
    """Where words go that are printed now: to the files of the candidates that are being evaluated."""

    def __init__(self) -> None:
        self._of: tuple[Unit[Any], Context] | None = None
        self._files: list[_File] | None = None
        self._lock = threading.Lock()

    def add(self, text: str) -> None:
        """Keeps the words in each file."""
        with self._lock:
            for file in self._opened():
                file.add(text.encode(errors="backslashreplace"))

    def begin(self, unit: Unit[Any], context: Context) -> None:
        """From now on words are kept for each candidate of the unit, as far as the run keeps files."""
        with self._lock:
            self._of, self._files = (unit, context), None

    def end(self) -> None:
        """Nothing is kept any more; the files have all that they are to have. Raises OSError."""
        with self._lock:
            files, self._files, self._of = self._files or [], None, None
            for file in files:
                file.close()

    @contextmanager
    def during(self, unit: Unit[Any], context: Context) -> Iterator[None]:
        """`begin`, and `end` after the block."""
        self.begin(unit, context)
        try:
            yield
        finally:
            self.end()

    def _opened(self) -> list[_File]:
        """The files of the unit; made for its first word, since most units say none."""
        if self._files is None and self._of is not None:
            unit, context = self._of
            folders = [context.folder(candidate.id) for candidate in unit.candidates]
            self._files = [_File(folder / LOG) for folder in folders if folder is not None]
        return self._files or []


class _Heard:
    """A stream that is written to and heard. Once nobody reads the stream itself, words are only kept."""

    def __init__(self, stream: Any, printed: Printed) -> None:
        self._stream, self._printed = stream, printed

    def write(self, text: str) -> int:
        """Keeps the text and passes it on."""
        self._printed.add(text)
        with contextlib.suppress(OSError):  # who started the search has closed its ears, which is no candidate's fault
            if self._stream is not None:
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """That of the stream."""
        with contextlib.suppress(OSError):
            if self._stream is not None:
                self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Listening:
    """A context in which stdout and stderr of this process are heard; one that is entered for each result costs next
    to nothing."""

    def __init__(self, printed: Printed) -> None:
        self._printed = printed

    def __enter__(self) -> None:
        self._before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = (cast(Any, _Heard(stream, self._printed)) for stream in self._before)

    def __exit__(self, *error: object) -> None:
        sys.stdout, sys.stderr = self._before


@contextmanager
def hearing() -> Iterator[Printed]:
    """Meanwhile stdout and stderr of this process are heard."""
    printed = Printed()
    with Listening(printed):
        yield printed
