"""CUDA streams that one training after the other uses: libraries and the allocator keep memory for each, for good."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_idle: dict[torch.device, list[torch.cuda.Stream]] = {}


def borrow(owner: object, device: torch.device) -> torch.cuda.Stream:
    """A stream that no other owner has until `owner` is gone; never the device's default one."""
    idle = _idle.setdefault(device, [])
    stream = idle.pop() if idle else torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    weakref.finalize(owner, idle.append, stream)
    return stream


@contextmanager
def aside(stream: torch.cuda.Stream | None) -> Iterator[None]:
    """In a stream of its own, where alone work can be recorded; in the current one without."""
    if stream is None:
        yield
        return
    around = torch.cuda.current_stream(stream.device)
    stream.wait_stream(around)
    try:
        with torch.cuda.stream(stream):
            yield
    finally:
        around.wait_stream(stream)
