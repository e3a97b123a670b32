"""Files that a configuration names, checked before they are read."""

from __future__ import annotations

from pathlib import Path

from evonas_cli.core.errors import UsageError


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
