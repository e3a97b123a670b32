"""How a command is stopped: by Ctrl-C or SIGTERM, in order and at once where the user insists.

Loads little, because it is the first module of a command: before anything has begun a signal ends the process at once.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 2.0
"""Seconds in which further signals are taken for the first one; later ones end the process as it is."""

CODES = {"Ctrl-C": 128 + signal.SIGINT, "SIGTERM": 128 + signal.SIGTERM}
_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
_BEFORE = " while starting; nothing has changed"


class Terminated(BaseException):
    """SIGTERM arrived."""


class Stopped(Exception):
    """A search was stopped; the text says what becomes of it, and which verb goes on with it."""

    def __init__(self, cause: KeyboardInterrupt | Terminated, run: Path | None, verb: str = "resume") -> None:
        by = "SIGTERM" if isinstance(cause, Terminated) else "Ctrl-C"
        after = _BEFORE
        if run is not None:
            after = f"; what was recorded is safe, `evonas {verb} {run}` goes on"
        super().__init__(f"stopped by {by}{after}")
        self.exit_code = CODES[by]


_since: float | None = None
_heard: str | None = None
_parting = b""


def leave_at_once() -> None:
    """From now on SIGINT and SIGTERM end the process with one line, unless it was started to ignore them."""
    _handle(_leave)


def listen() -> None:
    """From now on SIGINT raises KeyboardInterrupt, unless the process was started to ignore it, and SIGTERM Terminated;
    once, so that what follows is not stopped in turn."""
    _handle(_stop)


def finish() -> None:
    """The command is over: signals do not change its exit code any more, not even while the interpreter ends."""
    for number in _NAMES:
        signal.signal(number, signal.SIG_IGN)


def heard() -> str | None:
    """The signal that has asked this process to stop, or None."""
    return _heard


@contextmanager
def parting(words: bytes) -> Iterator[None]:
    """A process that ends at once meanwhile, because the user insists, writes these bytes to stderr first."""
    global _parting
    _parting = words
    try:
        yield
    finally:
        _parting = b""


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in _NAMES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    _write(b"\r" if os.isatty(2) else b"")
    _write(f"evonas: stopped by {_NAMES[signal.Signals(number)]}{_BEFORE}\n".encode())
    os._exit(128 + number)


def _stop(number: int, frame: FrameType | None) -> None:
    global _since, _heard
    now = time.monotonic()
    if _since is None:
        _since, _heard = now, _NAMES[signal.Signals(number)]
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated
    if now - _since > PATIENCE:
        finish()
        said = f"evonas: stopped by {_NAMES[signal.Signals(number)]} at once; what was recorded is safe\n"
        _write(_parting + said.encode())
        os._exit(128 + number)


def _write(words: bytes) -> None:
    """Writes to stderr, if stderr is open and takes words without a wait: nobody may be reading."""
    try:
        if select.select((), (2,), (), 0)[1]:
            os.write(2, words)
    except OSError:
        return
