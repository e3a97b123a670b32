"""Ctrl-C and SIGTERM while something must not be left half done: they take effect as soon as that is done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred() -> Iterator[None]:
    """SIGINT and SIGTERM that arrive meanwhile, in whatever thread, take effect at the end. For the main thread.

    Processes and threads that are started meanwhile have SIGINT blocked.
    """
    late: list[int] = []

    def later(number: int, frame: FrameType | None) -> None:
        late.append(number)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    heard = {number: signal.signal(number, later) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for arrived in late[:1]:
            signal.raise_signal(arrived)
