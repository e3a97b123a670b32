"""Ctrl-C while a process is started: the new one never hears it, this one as soon as that is done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred() -> Iterator[None]:
    """Processes that are started meanwhile have SIGINT blocked. One that arrives, in whatever thread, takes effect at
    the end. For the main thread."""
    late: list[int] = []

    def later(number: int, frame: FrameType | None) -> None:
        late.append(number)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    heard = signal.signal(signal.SIGINT, later)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if late:
            signal.raise_signal(signal.SIGINT)
