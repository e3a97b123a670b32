"""One process a run: a kernel lock on a file in the run directory, gone with the process however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from evonas_cli.core.errors import LockedError, RunError
from evonas_cli.store.files import failure, open_for_writing, write_all
from evonas_cli.store.reading import open_file

_ATTEMPTS = 10  # a reader that asks whether the lock is held holds it for an instant itself


class Lock:
    """Held from construction to `release`.

    Raises LockedError naming the process that holds it, RunError for what is no regular file, EnvironmentFailure.
    """

    def __init__(self, path: Path) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            self._file = open_for_writing(path, os.O_RDWR)
            try:
                if _acquired(self._file) and same(path, self._file):
                    os.ftruncate(self._file, 0)
                    write_all(self._file, f"{os.getpid()}\n".encode())
                    return
                holder = os.pread(self._file, 32, 0).decode(errors="replace").strip() or "unknown"
            except OSError as error:
                os.close(self._file)
                raise failure(path, error) from error
            os.close(self._file)
            if attempt < _ATTEMPTS:
                time.sleep(0.02)
        raise LockedError(f"{path.parent} is in use by process {holder}; wait for it or stop it")

    def release(self) -> None:
        """Lets the next process in."""
        os.close(self._file)


def _acquired(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def same(path: Path, file: int) -> bool:
    """Whether the path still names the open file: another process may have put a new one there, with a new lock."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except FileNotFoundError:
        return False


def held(path: Path) -> bool:
    """Whether some process holds the lock."""
    try:
        file = open_file(path)
    except RunError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
