"""Writing into a run: whole files of which a reader or a crash sees the old one or the new one, and appended ones.

Nothing is written through a symbolic link: what a link points to is no part of the run.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import stat
from pathlib import Path

from evonas_cli.core.errors import EnvironmentFailure, RunError
from evonas_cli.core.types import Json
from evonas_cli.store.reading import kind

PARTIAL = ".evonas-partial"
"""The name of the file in each folder that is written before it takes the place of another. One that a process left
behind when it was killed is overwritten by the next one."""


def write_text(path: Path, text: str, durable: bool = False) -> None:
    """Replaces the file by the text in UTF-8. With `durable` it is on the disk when this returns."""
    write_bytes(path, text.encode(), durable)


def write_bytes(path: Path, data: bytes, durable: bool = False) -> None:
    """Replaces the file, in a folder that no other process writes into.

    With `durable` the file and its name are on the disk when this returns. Raises EnvironmentFailure.
    """
    partial = path.with_name(PARTIAL)
    try:
        make_folder(path.parent)
        partial.unlink(missing_ok=True)
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            write_all(file, data)
            if durable:
                os.fsync(file)
        finally:
            os.close(file)
        partial.replace(path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):  # the first error is the one to tell of
            partial.unlink(missing_ok=True)
        raise failure(path, error) from error


def write_json(path: Path, data: Json, durable: bool = False, indent: int | None = 1) -> None:
    """Replaces the file with the data as JSON."""
    write_text(path, json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False) + "\n", durable)


def append_text(path: Path, text: str, durable: bool = False) -> None:
    """Appends the text in UTF-8. Raises EnvironmentFailure, and RunError for what is no regular file."""
    file = open_for_writing(path, os.O_WRONLY | os.O_APPEND)
    try:
        write_all(file, text.encode())
        if durable:
            os.fsync(file)
    except OSError as error:
        raise failure(path, error) from error
    finally:
        os.close(file)


def open_for_writing(path: Path, flags: int) -> int:
    """The descriptor of the file, made where there is none, for whom the umask says.

    Raises RunError for a symbolic link or another thing that is no regular file, EnvironmentFailure otherwise.
    """
    try:
        file = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        check_kind(path)
        raise failure(path, error) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise RunError(f"{path} is no regular file; put the run's own back or move this away")
    return file


def make_folder(path: Path) -> None:
    """Makes the folder, and those above it, where there is none; their names are then on the disk. Raises OSError."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def wrong_kind(path: Path, folder: bool = False) -> str | None:
    """What lies, in words, where a regular file or a `folder` of the run belongs; None when nothing else does."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return None
    if stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode):
        return None
    return "no folder" if folder and not stat.S_ISLNK(mode) else kind(mode)


def check_kind(path: Path, folder: bool = False) -> None:
    """Raises RunError when another thing lies where a regular file or a `folder` of the run belongs."""
    what = wrong_kind(path, folder)
    if what is not None:
        raise RunError(f"{path} is {what}, where the run's own belongs; put that back or move this away")


def discard(path: Path) -> None:
    """Removes a derived file. A folder in its place is moved away, since its contents are unknown. Raises OSError."""
    try:
        if stat.S_ISDIR(path.lstat().st_mode):
            moved(path)
        else:
            path.unlink()
    except FileNotFoundError:
        return


def moved(path: Path) -> str:
    """Renames it to a free name beside it, which is returned. Raises OSError."""
    names = (f"{path.name}.moved{number or ''}" for number in itertools.count())
    name = next(name for name in names if not os.path.lexists(path.with_name(name)))
    path.rename(path.with_name(name))
    return name


def write_all(file: int, data: bytes) -> None:
    """Writes all bytes: a system call may take only some of them. Raises OSError."""
    left = memoryview(data)
    while left:
        written = os.write(file, left)
        if not written:
            raise OSError(errno.EIO, "the system takes no more bytes")
        left = left[written:]


def sync_folder(path: Path) -> None:
    """Returns when the names in the folder are on the disk, as far as the system offers it. Raises OSError."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return  # a folder that may be written but not read, which cannot be synced
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems sync no folders
            raise
    finally:
        os.close(folder)


def failure(path: Path, error: OSError) -> EnvironmentFailure:
    """The error of a file that the system does not write, with what to do where that is known."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return EnvironmentFailure(f"cannot write {path}: {error.strerror}{'; free the disk and resume' if full else ''}")
