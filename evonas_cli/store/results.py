"""Results that several runs share: an SQLite file of documents by key, which several processes read and write at once.

A file that is damaged is set aside, and a new one begun. The key says all that a result depends on; this module knows
nothing of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evonas_cli.core import strict_json
from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.store.files import make_folder, moved, open_for_writing

WAIT_SECONDS = 60.0
"""How long a process waits for others that write."""
_MARK = 0x45564F4E  # "EVON", by which SQLite tells whose file it is
_FORMAT = 1
_TABLE = "CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, crc INTEGER, result TEXT) WITHOUT ROWID"
_log = logging.getLogger(__name__)


class _Damaged(sqlite3.DatabaseError):
    """A row whose checksum is wrong."""


class Results:
    """The file at the path, made where there is none.

    Raises EnvironmentFailure where the disk does not take it, UsageError for a database of another program or version.
    Where the file cannot be written later, because the disk is full or others hold it for a minute, a warning says so,
    and nothing is looked up or kept any more: a search does not depend on it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: sqlite3.Connection | None = None
        try:
            make_folder(path.parent)
            self._mended(self._open)
        except (OSError, sqlite3.Error) as error:
            raise EnvironmentFailure(f"cannot open the cache {path}: {error}; set cache=off or another path") from error

    def get(self, key: str) -> dict[str, Any] | None:
        """The document that was put under the key, or None."""
        with self._watched():
            found: dict[str, Any] | None = self._mended(lambda: self._read(key))
            return found
        return None

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        """Keeps the document, unless there is one under the key."""
        text = json.dumps(document, allow_nan=False)
        row = (key, zlib.crc32(text.encode()), text)
        with self._watched():
            self._mended(lambda: self._asked("INSERT OR IGNORE INTO results VALUES (?, ?, ?)", row))

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def open(self) -> bool:
        """Whether the file is still used."""
        return self._file is not None

    def _read(self, key: str) -> dict[str, Any] | None:
        rows = self._asked("SELECT crc, result FROM results WHERE key = ?", (key,))
        if not rows:
            return None
        [(checksum, text)] = rows
        if not isinstance(text, str) or zlib.crc32(text.encode()) != checksum:
            raise _Damaged("a row has another checksum")
        document = strict_json.parse(text.encode())
        if not isinstance(document, dict):
            raise _Damaged("a row holds no document")
        return document

    def _asked(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        if self._file is None:
            return []
        return self._file.execute(statement, values).fetchall()

    def _open(self) -> None:
        """Opens the file, and makes its table. Raises sqlite3.Error, UsageError."""
        os.close(open_for_writing(self.path, os.O_RDWR))  # a link or a folder is refused in the words of all files
        self.close()
        self._file = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.execute("BEGIN IMMEDIATE")
        [(mark,)], [(version,)] = self._asked("PRAGMA application_id"), self._asked("PRAGMA user_version")
        if not self._asked("SELECT name FROM sqlite_master LIMIT 1"):
            self._file.execute(f"PRAGMA application_id = {_MARK}")
            self._file.execute(f"PRAGMA user_version = {_FORMAT}")
            self._file.execute(_TABLE)
        elif mark != _MARK or version != _FORMAT:
            self.close()
            whose = "another program's" if mark != _MARK else "another version's"
            raise UsageError(f"cache={self.path} is {whose} database; choose another path")
        self._file.execute("COMMIT")

    def _mended(self, act: Any) -> Any:
        """What `act` gives, once more where the file turned out to be damaged. Raises sqlite3.Error, UsageError."""
        try:
            return act()
        except sqlite3.OperationalError:
            raise
        except (sqlite3.DatabaseError, ValueError) as error:
            self._set_aside(str(error))
        return act()

    def _set_aside(self, reason: str) -> None:
        """Renames the damaged file, unless another process has done so meanwhile, and begins a new one."""
        self.close()
        lock = open_for_writing(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._is_whole():
                with contextlib.suppress(FileNotFoundError):  # a journal of SQLite's belongs to the damaged file
                    self.path.with_name(f"{self.path.name}-journal").unlink()
                name = moved(self.path)
                _log.warning("the cache %s is damaged (%s); it is set aside as %s", self.path, reason, name)
            self._open()
        finally:
            os.close(lock)

    def _is_whole(self) -> bool:
        """Whether all of the file can be read, and each row has its checksum."""
        try:
            self._open()
            whole = self._asked("PRAGMA quick_check") == [("ok",)]
            rows = self._asked("SELECT crc, result FROM results")
            return whole and all(isinstance(text, str) and zlib.crc32(text.encode()) == crc for crc, text in rows)
        except sqlite3.DatabaseError:
            return False
        finally:
            self.close()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Gives the file up, with a warning, where it cannot be used."""
        try:
            yield
        except (OSError, sqlite3.Error, EnvironmentFailure) as error:
            self.close()
            _log.warning("the cache %s is not used any more (%s); the search goes on without it", self.path, error)
