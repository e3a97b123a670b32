"""Tables in text files: a line of column names, then one row a line; every value is kept as text.

The separator is the one of comma, semicolon and tab that divides the header most often; quotes are those of RFC 4180.
Compression is found by how the file begins (gzip, zip of one file, bzip2, xz), whatever the file is called.
"""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, reading
from evonas_cli.data.cells import Cells, is_number

HEAD = 1 << 20
"""Bytes at the beginning of a file, in which the header has to end."""
SEPARATORS = (",", ";", "\t")
ZIP, GZIP, XZ, BZIP2 = b"PK\x03\x04", b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh"
WIDE = {codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
REMEDY = "pass dataset.path=FILE.csv, or FILE.csv.gz"
SHOWN = 8
"""Names that a message lists before it stops."""

Lines: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Header:
    """The column names, and what separates them."""

    names: tuple[str, ...]
    separator: str


@dataclass(frozen=True)
class Delimited:
    """A table: the cells of each column, (N,), in the file's order, and the line of the file where each row begins."""

    path: Path
    columns: dict[str, Cells]
    lines: Lines

    def __len__(self) -> int:
        return len(self.lines)


def header(path: Path) -> Header:
    """The header, from the file's first megabyte. Raises UsageError as `table`, for what can be seen there."""
    check_file(path, REMEDY)
    with _opened(path) as file:
        data = file.read(HEAD + 1)
    if not data.strip():
        raise UsageError(f"{path} is empty; {REMEDY}")
    if len(data) > HEAD:
        end = max(data.rfind(b"\n"), data.rfind(b"\r"))
        if end < 0:
            raise UsageError(f"{path}: no line ends in the first {HEAD} bytes, so it is no table; {REMEDY}")
        data = data[: end + 1]
    return _header(_decoded(data, path), path)


def table(path: Path) -> Delimited:
    """The whole table. Raises UsageError, with one line, for a file that is no table in UTF-8, for a header that is
    absent or names a column twice, and for a row that has another number of values, with the number of its line."""
    found = header(path)
    with _opened(path) as file:
        text = _decoded(file.read(), path)
    rows, lines = [], []
    for line, row in _records(text, found.separator, path):
        if len(row) != len(found.names):
            raise UsageError(
                f"{path}: line {line} has {len(row)} values and the header names {len(found.names)} columns; "
                "mend the line (a value that holds the separator needs quotes)"
            )
        rows.append(row)
        lines.append(line)
    if not rows[1:]:
        raise UsageError(f"{path} has a header and no rows; {REMEDY}")
    columns = {name: _cells(column) for name, column in zip(found.names, zip(*rows[1:], strict=True), strict=True)}
    return Delimited(path, columns, np.array(lines[1:], dtype=np.int64))


def check_columns(names: Sequence[str], wanted: Sequence[str], path: Path, key: str) -> None:
    """Raises UsageError for a wanted column, given in the setting `key`, that the table does not have."""
    for name in wanted:
        if name not in names:
            close = get_close_matches(name, names, 3, 0.5)
            hint = f"did you mean {' or '.join(close)}?" if close else f"it has {listed(names)}"
            raise UsageError(f"{path} has no column {name!r} ({key}); {hint}")


def listed(names: Sequence[str]) -> str:
    """The first names, for a message."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _cells(column: Sequence[str]) -> Cells:
    cells = np.empty(len(column), dtype=object)
    cells[:] = column
    return cells


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked."""
    with reading(path, "a table", REMEDY), path.open("rb") as file:
        start = file.read(7)
        file.seek(0)
        with _unpacked(file, start, path) as stream:
            yield stream


def _unpacked(file: IO[bytes], start: bytes, path: Path) -> Any:
    """A file of the bytes in a packed file that begins with `start`, or the file itself."""
    if start.startswith(ZIP):
        return _member(file, path)
    if start.startswith(GZIP):
        return gzip.GzipFile(fileobj=file)
    if start.startswith(XZ):
        return lzma.LZMAFile(file)
    return bz2.BZ2File(file) if start.startswith(BZIP2) and start[4:] == b"1AY" else file


def _member(file: IO[bytes], path: Path) -> IO[bytes]:
    """The only file in an archive; what macOS adds does not count."""
    archive = zipfile.ZipFile(file)
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    names = [name for name in names if not name.startswith("__MACOSX/")]
    if len(names) != 1:
        raise UsageError(
            f"{path} is an archive of {len(names)} files ({listed(names)}); a table is one file, and a workbook has to "
            "be saved as CSV"
        )
    return archive.open(names[0])


def _decoded(data: bytes, path: Path) -> str:
    for mark, name in WIDE.items():
        if data.startswith(mark):
            raise UsageError(f"{path} is {name}; save it as UTF-8")
    if b"\0" in data:
        raise UsageError(f"{path} holds the byte 0 at position {data.index(0)}, so it is no text; {REMEDY}")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(
            f"{path} is not UTF-8: byte 0x{error.object[error.start]:02x} in line {line}; convert it, "
            "such as with iconv -f latin1 -t utf-8"
        ) from error


def _header(text: str, path: Path) -> Header:
    separator = max(SEPARATORS, key=lambda one: len(_first(text, one, path)))
    names = tuple(name.strip() or f"column {n}" for n, name in enumerate(_first(text, separator, path), 1))
    for name in names:
        if is_number(name):
            raise UsageError(f"{path}: the first line looks like data ({name} is a number); put a line of column names "
                             "before it")  # fmt: skip
        if names.count(name) > 1:
            raise UsageError(f"{path}: the header names {name!r} {names.count(name)} times; give each column a name "
                             "of its own (or put a header before the data)")  # fmt: skip
    return Header(names, separator)


def _first(text: str, separator: str, path: Path) -> list[str]:
    """The first row as another separator divides it, whose quotes need not fit."""
    return next((row for _, row in _records(text, separator, path, strict=False)), [])


def _records(text: str, separator: str, path: Path, strict: bool = True) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, and the line that it begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    begins = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise UsageError(
                f"{path}: the row that begins in line {begins} is no row of a table ({error}); mend its quotes, or "
                "shorten its values"
            ) from error
        if row is None:
            return
        if row:
            yield begins, row
        begins = reader.line_num + 1
