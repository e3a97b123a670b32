"""Ctrl-C and SIGTERM while something must not be left half done: they take effect as soon as that is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HEEDED = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def deferred() -> Iterator[None]:
    """SIGINT and SIGTERM that arrive meanwhile, in whatever thread, take effect at the end.

    Only the main thread receives signals, so in another thread, such as that of a notebook, nothing is deferred.
    Processes and threads that are started meanwhile have SIGINT blocked.
    """
    late: list[int] = []

    def later(number: int, frame: FrameType | None) -> None:
        late.append(number)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    receives = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.signal(number, later) for number in HEEDED} if receives else {}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for arrived in late[:1]:
            signal.raise_signal(arrived)
