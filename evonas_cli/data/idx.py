"""Reader of idx files, raw or gzipped: the format of MNIST (LeCun, Cortes & Burges, 1998)."""

from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import reading

IMAGES_MAGIC = 2051
LABELS_MAGIC = 2049


def read_images(path: Path) -> NDArray[np.uint8]:
    """Images (N, 1, H, W). Raises UsageError when the file is not a whole idx image file."""
    return _read(path, IMAGES_MAGIC, 3)[:, None]


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Labels (N,). Raises UsageError when the file is not a whole idx label file."""
    return _read(path, LABELS_MAGIC, 1)


def _read(path: Path, magic: int, dimensions: int) -> NDArray[np.uint8]:
    data = _bytes(path)
    header = 4 + 4 * dimensions
    if len(data) < header:
        raise UsageError(f"{path} is truncated: {len(data)} bytes, its header alone has {header}; fetch it again")
    found, *shape = struct.unpack(f">{1 + dimensions}I", data[:header])
    if found != magic:
        kind = "image" if magic == IMAGES_MAGIC else "label"
        raise UsageError(f"{path} is no idx {kind} file: its magic number is {found}, not {magic}; check its name")
    expected = header + math.prod(shape)
    if len(data) != expected:
        problem = "is truncated" if len(data) < expected else "is too long"
        raise UsageError(f"{path} {problem}: {len(data)} bytes, its header promises {expected}; fetch it again")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def _bytes(path: Path) -> bytes:
    """The content, unpacked when the file starts as gzip does, whatever its name."""
    with reading(path, "an idx file", "fetch it again"):
        data = path.read_bytes()
    if not data.startswith(b"\x1f\x8b") and path.suffix != ".gz":
        return data
    with reading(path, "a gzip file", "fetch it again"):
        return gzip.decompress(data)
