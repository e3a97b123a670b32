"""Examples and maps as PNG files (ISO/IEC 15948) of a few pixels, in the text form that a page takes."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from evonas_cli.explain.calibration import Floats

HOT = (216, 27, 96)
"""The colour of what matters, in red, green and blue."""


def picture(image: NDArray[np.generic], span: tuple[float, float]) -> str:
    """An image (C, H, W) as a data URI; numbers from `span[0]` to `span[1]` become black to white.

    The first three channels are red, green and blue; one or two channels are shown as the grey of the first.
    """
    return _uri(_bytes(image, span))


def overlaid(image: NDArray[np.generic], span: tuple[float, float], heat: Floats) -> str:
    """The image in pale grey with `heat`, (H, W) in [0, 1], in colour over it, as a data URI."""
    grey = _bytes(image, span).astype(float).mean(axis=2, keepdims=True)
    share = np.clip(heat, 0, 1)[..., None]
    return _uri(((0.35 * grey + 150) * (1 - share) + np.array(HOT) * share).round().astype(np.uint8))


def _bytes(image: NDArray[np.generic], span: tuple[float, float]) -> NDArray[np.uint8]:
    """(H, W, 3) bytes."""
    shown = image[:3] if len(image) >= 3 else np.repeat(image[:1], 3, axis=0)
    low, high = span
    share = (shown.astype(float) - low) / (high - low if high > low else 1.0)
    found: NDArray[np.uint8] = (255 * np.clip(share, 0, 1)).round().astype(np.uint8).transpose(1, 2, 0)
    return found


def _uri(pixels: NDArray[np.uint8]) -> str:
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    chunks = [struct.pack(">I", len(data)) + kind + data + _sum(kind + data) for kind, data in parts]
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def _sum(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))
