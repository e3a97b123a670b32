"""Files that a configuration names: where they lie, whether they are there, and readers that fail in one line."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evonas_cli.core.errors import EnvironmentFailure, EvonasError, UsageError

LONGEST_REASON = 200
"""Characters of a library's own words that a message repeats."""
OF_THE_DISK = frozenset(
    {
        errno.EIO,
        errno.ENXIO,
        errno.ENODEV,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ESTALE,
        errno.ENOTCONN,
        errno.ETIMEDOUT,
        errno.EREMOTEIO,
    }
)
"""What fails though the file may be as it should. EINVAL is none of it: a damaged file sends a reader to a negative
position."""


def located(value: Any, key: str, example: str) -> Path:
    """The path that a setting holds, with ~ and ~user expanded. Raises UsageError where it is not set or no path."""
    if value is None or value == "":
        raise UsageError(f"{key} is not set; pass {key}={example}")
    if not isinstance(value, str | Path):
        raise UsageError(f"{key} is {value!r}, which is no path; pass {key}={example}")
    return expanded(value, key)


def check_file(path: Path, remedy: str) -> None:
    """Raises UsageError, which ends in `remedy`, unless the path is that of a regular file.

    A folder cannot be read, and a device or a pipe may never end.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; {remedy}")
    if not path.exists():
        raise UsageError(f"{path} not found; {remedy}")
    if not path.is_file():
        raise UsageError(f"{path} is a device or a pipe, no regular file; {remedy}")


@contextmanager
def reading(path: Path, kind: str, remedy: str) -> Iterator[None]:
    """Whatever a library raises on a file that it cannot read as `kind` becomes a UsageError, which ends in `remedy`.

    Errors of evonas pass. Errors of the disk become an EnvironmentFailure. No library lists what its readers raise on a
    damaged file, and a header that claims too large an array is a MemoryError.
    """
    try:
        yield
    except EvonasError:
        raise
    except Exception as error:
        reason = _reason(error)
        if isinstance(error, OSError) and error.errno in OF_THE_DISK:
            raise EnvironmentFailure(f"{path} cannot be read ({reason}); repair the disk or its mount") from error
        raise UsageError(f"{path} cannot be read as {kind} ({reason}); {remedy}") from error


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:LONGEST_REASON] or type(error).__name__


def path_of(text: str | Path) -> Path:
    """The path of an option, `~` as the home folder: a shell leaves that to the program in --option=~/x.

    Raises UsageError for the home of a user who does not exist.
    """
    return expanded(text, str(text))


def expanded(path: str | Path, where: str) -> Path:
    """The path with a leading `~` as the home folder that it stands for.

    Raises UsageError, which begins with `where`, for the home of a user who does not exist.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"{where}: {Path(path).parts[0]} is the home of no user here; write ./{path} for a folder of that name"
        ) from error
