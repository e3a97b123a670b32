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
