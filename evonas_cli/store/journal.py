"""The journal: one JSON object with its CRC per line. A line is on disk before the search uses what the line says.

A line is written with one system call at once, so a killed process loses no line. The disk is asked to keep it (fsync)
when the evaluations not yet kept took more than 50 ms together (at least the time since the line before), when the
oldest of them is 50 ms old, and before anything derived is published. A loss of power can therefore cost at most 50 ms
of evaluations, which are derived again to the same values. The results of longer evaluations are on the disk before the
strategy is told.
"""

from __future__ import annotations

import hashlib
import json
import json.encoder
import os
import struct
import time
import weakref
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas_cli.core import strict_json
from evonas_cli.core.errors import EnvironmentFailure, RunError
from evonas_cli.store.files import failure, open_for_writing, write_all, write_bytes
from evonas_cli.store.reading import LONGEST_LINE, open_descriptor, open_file
from evonas_cli.store.records import is_entry
from evonas_cli.store.throughput import Spent

_MARK = b',"crc":"'
_TAIL = len(_MARK) + 8 + 2
_SYNC_SECONDS = 0.05
_SUM_BITS = 32
_SUM = (1 << _SUM_BITS) - 1


def _encoder() -> Callable[[Any], str]:
    """JSON without spaces, in which no number is NaN or infinite.

    `JSONEncoder.encode` makes the C encoder anew for each document, which takes a fifth of the time of a line; where
    there is one, it is made here, once.
    """
    plain = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return plain.encode
    in_c = make(None, plain.default, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    return lambda document: "".join(in_c(document, 0))


_dumps = _encoder()


def line(entry: dict[str, Any]) -> bytes:
    """The entry as a journal line: its JSON with a last member `crc`, the CRC-32 of all bytes before that member."""
    body = _dumps(entry).encode()[:-1]
    return b'%b%b%08x"}\n' % (body, _MARK, zlib.crc32(body))


def parse(raw: bytes) -> dict[str, Any] | None:
    """The entry of a line, or None when it is damaged or incomplete."""
    body, tail = raw[: -_TAIL - 1], raw[-_TAIL - 1 :]
    if len(tail) != _TAIL + 1 or tail != b'%b%08x"}\n' % (_MARK, zlib.crc32(body)):
        return None
    try:
        entry = strict_json.parse(body + b"}")
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _sum(raw: bytes) -> int:
    """The CRC of a whole line."""
    return int(raw[-11:-3], 16)


@dataclass(frozen=True)
class Scan:
    """What a journal file holds: (id, offset, CRC) of the good lines, numbers of damaged ones, the end of the last good
    line, how many torn bytes follow it, and what the evaluations of the good lines took."""

    good: list[tuple[int, int, int]]
    damaged: list[int]
    end: int
    torn: int
    spent: Spent


def scan(path: Path) -> Scan:
    """Checks every line. Damage behind the last good line is a torn tail; damage before it is corruption, and so are
    several lines of which none is good. A line whose entry has another shape than evonas writes is damaged.

    Raises RunError for what is no file.
    """
    check_file(path)
    good: list[tuple[int, int, int]] = []
    bad: list[int] = []
    end = offset = last = 0
    spent = Spent()
    with open_file(path) as file:
        for number, raw in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
            entry = parse(raw)
            if entry is None or not is_entry(entry):
                bad.append(number)
            else:
                good.append((entry["id"], offset, _sum(raw)))
                spent.add(entry)
                last, end = number, offset + len(raw)
            offset += len(raw)
    damaged = [number for number in bad if number < last] if good else bad if len(bad) > 1 else []
    return Scan(good, damaged, end, offset - end, spent)


def check_file(path: Path) -> None:
    """Raises RunError, with what to do, when there is something at the path that is no file."""
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "no regular file"
        remedy = f"put the journal back, or move this away and run `evonas verify {path.parent} --repair`"
        raise RunError(f"{path} is {what}; {remedy}")


class Journal:
    """An open journal. Raises RunError for damage in the middle and for what is no file.

    Opened for writing (by the holder of the run's lock alone) it moves a torn tail to `journal.torn`; opened for
    reading it leaves the file as it is and shows what was whole at that moment. A journal that is not closed is closed
    when nothing refers to the journal any more.
    """

    def __init__(self, path: Path, write: bool = True) -> None:
        self.path = path
        # By id the offset of the line and its CRC in one integer: two dictionaries would take twice the memory.
        self._places: dict[int, int] = {}
        self._summed, self._total = 0, hashlib.sha256()
        self.highest = -1
        self._unsynced, self._oldest, self._newest = 0.0, 0.0, time.monotonic()
        check_file(path)
        self._file = open_for_writing(path, os.O_RDWR | os.O_APPEND) if write else open_descriptor(path)
        # Readers seldom close a journal, and one process may read thousands of them.
        self._closed = weakref.finalize(self, os.close, self._file)
        found = scan(path)
        if found.damaged:
            self._closed()
            raise RunError(
                f"{path}: line {found.damaged[0]} is damaged; "
                f"`evonas verify {path.parent} --repair` keeps the good lines and evaluates the others again"
            )
        self.torn, self.spent = found.torn, found.spent
        if found.torn and write:
            write_bytes(path.with_name("journal.torn"), os.pread(self._file, found.torn, found.end))
            os.ftruncate(self._file, found.end)
        self._end = found.end
        for id, offset, checksum in found.good:
            if id in self._places:
                self._closed()
                raise RunError(f"{path}: candidate {id} is recorded twice; run `evonas verify {path.parent} --repair`")
            self._places[id] = offset << _SUM_BITS | checksum
            self.highest = max(self.highest, id)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All entries by ascending id."""
        return (self.read(id) for id in sorted(self._places))

    def __contains__(self, id: object) -> bool:
        return id in self._places

    def read(self, id: int) -> dict[str, Any]:
        """The entry of a candidate. Raises KeyError when it has none."""
        offset, raw = self._places[id] >> _SUM_BITS, b""
        while not raw.endswith(b"\n"):
            raw = os.pread(self._file, max(1024, 2 * len(raw)), offset)
            if not raw:
                raise RunError(f"{self.path}: the line of candidate {id} was cut off while the run was open")
            raw = raw[: raw.find(b"\n") + 1] or raw
        entry = parse(raw)
        if entry is None:
            raise RunError(f"{self.path}: the line of candidate {id} changed on disk while the run was open")
        return entry

    @property
    def last(self) -> dict[str, Any]:
        """The entry written last. Raises ValueError for an empty journal."""
        return self.read(max(self._places, key=self._places.__getitem__))

    def checksum(self, count: int) -> str:
        """SHA-256 over the CRCs of the lines of the first so many candidates, by id.

        A caller that asks for more and more has each line counted once. Raises KeyError when one has no line.
        """
        if count < self._summed:
            self._summed, self._total = 0, hashlib.sha256()
        while self._summed < count:
            end = min(count, self._summed + 4096)
            sums = [self._places[id] & _SUM for id in range(self._summed, end)]
            self._total.update(struct.pack(f">{len(sums)}I", *sums))
            self._summed = end
        return self._total.hexdigest()

    def append(self, new: Sequence[dict[str, Any]]) -> None:
        """Writes entries (each with `id` and `seconds`). Raises EnvironmentFailure and leaves no half line behind."""
        lines = [line(entry) for entry in new]
        block = b"".join(lines)
        try:
            write_all(self._file, block)
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise failure(self.path, error) from error
        now = time.monotonic()
        seconds = 0.0
        for entry, raw in zip(new, lines, strict=True):
            id = entry["id"]
            self._places[id] = self._end << _SUM_BITS | _sum(raw)
            self._end += len(raw)
            if id > self.highest:
                self.highest = id
            self.spent.add(entry)
            seconds += entry["seconds"]
        self._oldest = self._oldest or now
        self._unsynced += max(now - self._newest, seconds)
        self._newest = now
        if self._unsynced >= _SYNC_SECONDS or now - self._oldest >= _SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Returns when everything appended is on the disk. Raises EnvironmentFailure."""
        if self._oldest:
            try:
                os.fsync(self._file)
            except OSError as error:
                raise EnvironmentFailure(f"cannot write {self.path}: {error.strerror}") from error
            self._unsynced, self._oldest = 0.0, 0.0

    def close(self) -> None:
        """Syncs and closes."""
        self.sync()
        self._closed()
