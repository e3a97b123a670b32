"""A table of latencies measured on a device, such as those of HW-NAS-Bench (Li et al., ICLR 2021)."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, located, reading
from evonas_cli.core.protocols import Space

GZIP = b"\x1f\x8b"


class Rows(NamedTuple):
    """Latencies in milliseconds by genome, and the SHA-256 of the file."""

    latencies: dict[str, float]
    digest: str


class Latencies:
    """A CSV file, or a .csv.gz, with one row for each genome.

    The column `key` holds genomes as the space writes them, character by character, `column` their latencies in
    milliseconds. The file is read when it is first needed.
    """

    def __init__(self, path: str, key: str, column: str | None) -> None:
        """Raises UsageError where the column is not named."""
        self.path = located(path, "job.latency_table", "FILE.csv")
        if column is None:
            raise UsageError("job.latency_table is given, but not the column of its latencies; "
                             "pass job.latency_column=NAME")  # fmt: skip
        self._key, self._column = key, column

    def check_there(self) -> None:
        """Raises UsageError for a file that is missing, or cannot be used; the whole file is read."""
        check_file(self.path, "pass job.latency_table=FILE.csv")
        len(self._rows.latencies)

    @property
    def device(self) -> str:
        """What the latencies were measured on, as their column says: `pixel3` for the column `pixel3_ms`."""
        return self._column.removesuffix("_ms")

    @property
    def digest(self) -> str:
        """SHA-256 of the file. Raises UsageError as `check_there`."""
        self.check_there()
        return self._rows.digest

    def of(self, genome: Any, space: Space[Any]) -> float | None:
        """The latency of a genome; None where the table has no row for the genome."""
        written = space.to_json(genome)
        return self._rows.latencies.get(written if isinstance(written, str) else json.dumps(written))

    @property
    def lack(self) -> str:
        """What is to be said of a genome that the table lacks."""
        return f"latency_ms: {self.path.name} has no row for the genome in its column {self._key}"

    @cached_property
    def _rows(self) -> Rows:
        with reading(self.path, "CSV", "pass job.latency_table=FILE.csv, or FILE.csv.gz"):
            data = self.path.read_bytes()
            text = (gzip.decompress(data) if data.startswith(GZIP) else data).decode("utf-8-sig")
            rows = csv.reader(io.StringIO(text, newline=""), strict=True)
            return Rows(dict(self._pairs(rows)), hashlib.sha256(data).hexdigest())

    def _pairs(self, rows: Iterator[list[str]]) -> Iterator[tuple[str, float]]:
        header = next(rows, [])
        missing = [name for name in (self._key, self._column) if name not in header]
        if missing:
            raise UsageError(f"{self.path} has no column {', '.join(missing)} (it has {', '.join(header[:40])}); set "
                             "job.latency_key and job.latency_column to its own")  # fmt: skip
        key, column, known = header.index(self._key), header.index(self._column), set[str]()
        for number, row in enumerate(rows, start=2):
            if not row:
                continue
            if len(row) != len(header):
                raise UsageError(f"{self.path}: row {number} has {len(row)} cells, the header {len(header)}; repair it")
            if row[key] in known:
                raise UsageError(f"{self.path} has {row[key]} in two rows; keep one of them")
            known.add(row[key])
            yield row[key], self._number(row[column], number)

    def _number(self, text: str, row: int) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 <= value < math.inf:
            raise UsageError(f"{self.path}: column {self._column} has {text!r} in row {row}; a latency is a number of "
                             "milliseconds, at least 0")  # fmt: skip
        return value
