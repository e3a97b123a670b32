"""Whole files written so that a reader or a crash sees the old one or the new one, never a part."""

from __future__ import annotations

import json
import os
from pathlib import Path

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.types import Json


def write_text(path: Path, text: str, durable: bool = False) -> None:
    """Replaces the file by the text in UTF-8. With `durable` it is on the disk when this returns."""
    write_bytes(path, text.encode(), durable)


def write_bytes(path: Path, data: bytes, durable: bool = False) -> None:
    """Replaces the file. With `durable` it is on the disk when this returns. Raises EnvironmentFailure."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise EnvironmentFailure(f"cannot write {path}: {error.strerror}") from error


def write_json(path: Path, data: Json, durable: bool = False, indent: int | None = 1) -> None:
    """Replaces the file with the data as JSON."""
    write_text(path, json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False) + "\n", durable)
