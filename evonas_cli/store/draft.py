"""Folders that appear whole: filled as a draft under a hidden name, then renamed.

A process holds a kernel lock on its draft for as long as it fills it. A draft without a lock was left by a process that
was killed, and the next start removes it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.store.files import PARTIAL, make_folder, sync_folder
from evonas_cli.store.lock import same

_NAME = re.compile(r"\.evonas-([0-9]+-[0-9a-f]{8}|[a-z0-9_]{8})")
_CONTENT = re.compile(rf"{re.escape(PARTIAL)}|journal\.jsonl|\.?(config\.yaml|run\.json|sweep\.json)(\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RESERVED = re.compile(r"[0-9]{6}-.+")
ABANDONED_SECONDS = 3600.0
"""How old an empty folder that was reserved for a run is before it is removed. Should its process still be starting,
the folder is made again: no other process takes a name of that second."""


@contextmanager
def draft(target: Path) -> Iterator[Path]:
    """A new folder beside the target, which it becomes at the end of the block. After an error nothing is left.

    Raises FileExistsError when something lies at the target, EnvironmentFailure when the disk does not take it.
    """
    try:
        make_folder(target.parent)
        folder, lock = _reserve(target.parent)
    except OSError as error:
        raise EnvironmentFailure(f"cannot write into {target.parent}: {error.strerror}") from error
    try:
        yield folder
        sync_folder(folder)
        os.rename(folder, target)
        sync_folder(target.parent)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise FileExistsError(error.errno, error.strerror, str(target)) from error
        if isinstance(error, OSError):
            raise EnvironmentFailure(f"cannot make {target}: {error.strerror}") from error
        raise
    finally:
        os.close(lock)


def _reserve(parent: Path) -> tuple[Path, int]:
    """A new draft and the descriptor that holds its lock. Raises OSError."""
    while True:
        folder = parent / f".evonas-{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir()
        try:
            lock = _lock(folder)
        except FileNotFoundError:
            continue  # another process took the draft for an abandoned one before the draft was locked
        if lock is not None:
            return folder, lock


def _lock(folder: Path) -> int | None:
    """The descriptor that holds the folder's lock; None when another process does, or the folder is another by now.

    Raises OSError.
    """
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if same(folder, lock):
            return lock
    except BlockingIOError:
        pass
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None


def clear(outputs: Path) -> None:
    """Removes what killed starts have left in an outputs folder: drafts, and empty folders of runs and of dates."""
    clear_drafts(outputs)
    for date in _folders(outputs, _DATE):
        old = _is_old(date)  # asked first: what is removed from a folder makes it new
        clear_drafts(date)
        for folder in [*filter(_is_old, _folders(date, _RESERVED)), *([date] if old else [])]:
            with contextlib.suppress(OSError):  # it is not empty, which is the usual case, or another user's
                folder.rmdir()


def clear_drafts(parent: Path) -> None:
    """Removes abandoned drafts. One that holds anything but a draft's files stays."""
    for folder in _folders(parent, _NAME):
        with contextlib.suppress(OSError):  # another user's draft, or a disk without locks: no reason not to start
            remove_draft(folder)


def abandoned(parent: Path) -> list[Path]:
    """The drafts in a folder that `clear_drafts` would remove."""
    found = []
    for folder in _folders(parent, _NAME):
        with contextlib.suppress(OSError):  # another user's draft
            lock = _lock(folder)
            if lock is not None:
                os.close(lock)
                if _is_draft(list(folder.iterdir())):
                    found.append(folder)
    return found


def remove_draft(folder: Path) -> None:
    """Removes a draft, unless a process fills it or it holds something else. Raises OSError."""
    lock = _lock(folder)
    if lock is None:
        return
    try:
        files = list(folder.iterdir())
        if _is_draft(files):
            for file in files:
                file.unlink()
            folder.rmdir()
    finally:
        os.close(lock)


def _is_draft(files: list[Path]) -> bool:
    """Whether these are a draft's files; a journal with lines is none of them."""
    return all(
        _CONTENT.fullmatch(file.name) and file.is_file() and (file.name != "journal.jsonl" or not file.stat().st_size)
        for file in files
    )


def _is_old(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > ABANDONED_SECONDS
    except FileNotFoundError:
        return False


def _folders(parent: Path, name: re.Pattern[str]) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if name.fullmatch(path.name) and path.is_dir())
    except OSError:
        return []
