"""One process a run: a kernel lock on a file in the run directory, gone with the process however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from evonas_cli.core.errors import EnvironmentFailure, LockedError

_ATTEMPTS = 10  # a reader that asks whether the lock is held holds it for an instant itself


class Lock:
    """Held from construction to `release`. Raises LockedError naming the process that holds it."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise EnvironmentFailure(f"cannot write {path}: {error.strerror}") from error
        for attempt in range(_ATTEMPTS):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if attempt == _ATTEMPTS - 1:
                    holder = os.read(self._file, 32).decode(errors="replace").strip() or "unknown"
                    os.close(self._file)
                    text = f"{path.parent} is in use by process {holder}; wait for it or stop it"
                    raise LockedError(text) from error
                time.sleep(0.02)
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Lets the next process in."""
        os.close(self._file)


def held(path: Path) -> bool:
    """Whether some process holds the lock."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
