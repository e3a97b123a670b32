"""How a command is stopped: by Ctrl-C or SIGTERM, in order and at once where the user insists."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import FrameType

PATIENCE = 2.0
"""Seconds in which further signals are taken for the first one; later ones end the process as it is."""

CODES = {"Ctrl-C": 128 + signal.SIGINT, "SIGTERM": 128 + signal.SIGTERM}


class Terminated(BaseException):
    """SIGTERM arrived."""


class Stopped(Exception):
    """A search was stopped; the text says what becomes of it."""

    def __init__(self, cause: KeyboardInterrupt | Terminated, run: Path | None) -> None:
        by = "SIGTERM" if isinstance(cause, Terminated) else "Ctrl-C"
        after = " while starting; nothing has changed"
        if run is not None:
            after = f"; what was recorded is safe, `evonas resume {run}` goes on"
        super().__init__(f"stopped by {by}{after}")
        self.exit_code = CODES[by]


_since: float | None = None


def listen() -> None:
    """From now on SIGINT raises KeyboardInterrupt, unless the process was started to ignore it, and SIGTERM Terminated;
    once, so that what follows is not stopped in turn."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def finish() -> None:
    """The command is over: Ctrl-C does not change its exit code any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stop(number: int, frame: FrameType | None) -> None:
    global _since
    now = time.monotonic()
    if _since is None:
        _since = now
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated
    if now - _since > PATIENCE:
        os._exit(128 + number)
