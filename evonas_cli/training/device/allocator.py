"""Keeps glibc from giving memory back to the kernel after every training step, and from asking for it anew."""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
SETTINGS = {MMAP_THRESHOLD: 1 << 30, TRIM_THRESHOLD: (1 << 31) - (1 << 20), TOP_PAD: 256 << 20}
"""Parameters of mallopt(3) in bytes: no block below 1 GiB is mapped for itself, and the heap shrinks late."""


def keep_memory() -> bool:
    """Process-wide; False where the C library has no such parameters, and nothing changes.

    Without it a step on tensors of some megabytes faults every page in again, which costs a grouped convolution more
    time than its arithmetic. The process then stays as large as it once was.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(parameter, value) == 1 for parameter, value in SETTINGS.items())
