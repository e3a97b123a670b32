"""The one way in which files of a run are read: a regular file of bounded size, JSON of bounded depth, one error.

A run directory may hold anything: a user may have copied it by hand, restored half of it, or got it from elsewhere.
Whatever lies at the place of a file, reading ends soon and raises RunError at worst.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from evonas_cli.core import strict_json
from evonas_cli.core.errors import RunError

SMALL = 1 << 24
"""Bytes of a file that describes a run: 16 MiB."""
LARGE = 1 << 30
"""Bytes of a file that grows with a run: 1 GiB."""
LONGEST_LINE = 1 << 28
"""Bytes of one line of a file of lines: 256 MiB."""


class Absent(RunError):
    """There is no such file."""


def open_file(path: Path) -> BinaryIO:
    """The file, opened for reading. Raises Absent and RunError."""
    return open(open_descriptor(path), "rb")


def open_descriptor(path: Path) -> int:
    """A descriptor to read by. Raises Absent, and RunError for what is no regular file or cannot be read.

    Opening a pipe without a writer would block for ever, so the kind of the file is read first.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Absent(f"{path} is missing") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise RunError(f"{path} is {kind(mode)}")
    return descriptor


def kind(mode: int) -> str:
    """What lies where a regular file belongs, in words."""
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a folder" if stat.S_ISDIR(mode) else "no regular file"


def read_bytes(path: Path, most: int = SMALL) -> bytes:
    """The content, at most so many bytes. Raises Absent, and RunError for what is larger or no regular file."""
    with open_file(path) as file:
        try:
            data = file.read(most + 1)
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > most:
        raise RunError(f"{path} is damaged (it has more than {most} bytes)")
    return data


def read_text(path: Path, most: int = SMALL) -> str:
    """The content as UTF-8. Raises Absent and RunError."""
    try:
        return read_bytes(path, most).decode()
    except ValueError as error:
        raise RunError(f"{path} is damaged (it is no UTF-8)") from error


def read_json(path: Path, most: int = SMALL) -> dict[str, Any]:
    """The JSON object in the file. Raises Absent and RunError."""
    try:
        data = strict_json.parse(read_bytes(path, most))
    except ValueError as error:
        raise RunError(f"{path} is damaged ({_reason(error)})") from error
    if not isinstance(data, dict):
        raise RunError(f"{path} is damaged (it holds no JSON object)")
    return data


def read_lines(path: Path, most: int = LARGE) -> Iterator[dict[str, Any] | None]:
    """The JSON objects in the lines of a file, None for each line that holds none; nothing without a file.

    A last line that does not end is left out: a process that was killed, or is at work, has written a part of it.
    Raises RunError for what is no regular file or too large.
    """
    try:
        content = read_bytes(path, most)
    except Absent:
        return
    for raw in content.split(b"\n")[:-1]:
        try:
            entry = strict_json.parse(raw)
        except ValueError:
            entry = None
        yield entry if isinstance(entry, dict) else None


def is_count(value: object) -> bool:
    """Whether it is a whole number from 0 on that a machine can count with."""
    return type(value) is int and 0 <= value < 1 << 64


def is_amount(value: object) -> bool:
    """Whether it is a number from 0 on; every integer that it may be has a float."""
    return is_count(value) or (type(value) is float and value >= 0)


def misfit(data: Mapping[str, Any], shape: Mapping[str, type]) -> str | None:
    """What is wrong with the first member that is missing or of another type than its `shape`; None when nothing is."""
    for name, wanted in shape.items():
        if name not in data:
            return f"it has no {name}"
        if not isinstance(data[name], wanted):
            return f"its {name} is no {_WORDS[wanted]}"
    return None


_WORDS: Mapping[type, str] = {dict: "mapping", list: "list", str: "text"}


def _reason(error: ValueError) -> str:
    return " ".join(str(error).split())[:120]
