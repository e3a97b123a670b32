"""How a command is stopped: by Ctrl-C or SIGTERM, in order and at once where the user insists.

A search whose candidates are under way waits for them at the first signal, as far as it is `graceful`; the second one
stops it as it is, and one after that ends the process.

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

    from evonas_cli.core.halting import StopRequest

PATIENCE = 2.0
"""Seconds in which further signals are taken for one that stopped a command; later ones end the process as it is."""
TOGETHER = 0.5
"""Seconds in which further signals are taken for the first one, since shells and schedulers send several."""
GRACE = 30.0
"""Seconds in which candidates under way may reach the end of an epoch."""
_UNSAID = 0.2
"""Seconds in which a search may stop without a word of what it waits for."""
_LATE = 1.0
"""Seconds after its grace at which a search is stopped as it is that has not stopped by then."""

CODES = {"Ctrl-C": 128 + signal.SIGINT, "SIGTERM": 128 + signal.SIGTERM}
_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
_BEFORE = " while starting; nothing has changed"


class Terminated(BaseException):
    """SIGTERM arrived."""


class Stopped(Exception):
    """A search was stopped; the text says what becomes of it, which verb goes on, and the notes of the cause."""

    def __init__(self, cause: KeyboardInterrupt | Terminated, run: Path | None, verb: str = "resume") -> None:
        by = "SIGTERM" if isinstance(cause, Terminated) else "Ctrl-C"
        after = _BEFORE
        if run is not None:
            notes = "; ".join(getattr(cause, "__notes__", ()))
            after = f"; what was recorded is safe, `evonas {verb} {run}` goes on{notes and f' ({notes})'}"
        super().__init__(f"stopped by {by}{after}")
        self.exit_code = CODES[by]


_since: float | None = None
_heard: str | None = None
_parting, _descriptor = b"", 2
_grace: _Grace | None = None


class _Grace:
    """What the first signal begins: a request to stop, whose grace an alarm ends."""

    def __init__(
        self, seconds: float, request: StopRequest, busy: Callable[[], bool], tell: Callable[[str], None]
    ) -> None:
        self._seconds, self._request, self._busy, self._tell = seconds, request, busy, tell
        self._number, self._said = 0, False
        self.since, self.over = -1.0, False

    def begin(self, number: int) -> bool:
        """Asks for the stop; False where there is nothing to wait for."""
        if not self._seconds or not self._busy():
            return False
        self._number, self.since = number, time.monotonic()
        self._request.ask(_cause(_NAMES[signal.Signals(number)]), self._seconds)
        signal.signal(signal.SIGALRM, self._alarm)
        signal.setitimer(signal.ITIMER_REAL, _UNSAID)
        return True

    def takes(self, now: float) -> bool:
        """Whether another signal is taken for the first one."""
        return not self.over and now - self.since < TOGETHER

    def end(self) -> None:
        """No alarm comes any more."""
        if self.since >= 0:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        if not self._said:
            self._said = True
            signal.setitimer(signal.ITIMER_REAL, self._seconds + _LATE)
            self._tell(_NAMES[signal.Signals(self._number)])
            return
        self.over = True
        signal.raise_signal(self._number)  # through whatever handles it now (`interrupts.deferred`)


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
def graceful(
    seconds: float, request: StopRequest, busy: Callable[[], bool], tell: Callable[[str], None]
) -> Iterator[None]:
    """Meanwhile the first signal asks `request` for a stop within so many seconds, if anything is `busy`.

    A second one, or the end of the grace, raises as any signal does. `tell` is called, in the midst of anything, with
    the name of the signal when the stop takes a while. At 0 seconds, or without `listen`, nothing is different.
    """
    global _grace
    grace = _grace = _Grace(seconds, request, busy, tell)
    try:
        yield
    finally:
        _grace = None
        grace.end()


def ignore_hangups() -> None:
    """From now on the process, and those that it starts, outlive their terminal. Only the main thread may say so."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def say_now(words: str) -> None:
    """A line on stderr, from a signal handler: it waits for nothing and fails at nothing."""
    _write(f"{words}\n".encode(errors="backslashreplace"))


@contextmanager
def parting(words: bytes, descriptor: int = 2) -> Iterator[None]:
    """A process that ends at once meanwhile, because the user insists, writes these bytes first.

    What signals say is written to the descriptor meanwhile: that of the terminal, where stderr is caught.
    """
    global _parting, _descriptor
    _parting, _descriptor = words, descriptor
    try:
        yield
    finally:
        _parting, _descriptor = b"", 2


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
        first = _heard is None
        _heard = _heard or _NAMES[signal.Signals(number)]
        if _grace is not None and (_grace.begin(number) if first else _grace.takes(now)):
            return
        _since = now
        raise _cause(_heard)
    if now - _since > PATIENCE:
        finish()
        said = f"evonas: stopped by {_NAMES[signal.Signals(number)]} at once; what was recorded is safe\n"
        _write(_parting + said.encode())
        os._exit(128 + number)


def _cause(name: str) -> BaseException:
    return KeyboardInterrupt() if name == _NAMES[signal.SIGINT] else Terminated()


def _write(words: bytes) -> None:
    """Writes to stderr, if stderr is open and takes words without a wait: nobody may be reading."""
    try:
        if select.select((), (_descriptor,), (), 0)[1]:
            os.write(_descriptor, words)
    except OSError:
        return
