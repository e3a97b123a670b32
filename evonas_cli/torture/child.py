"""A process of evonas in which calls of the system fail, or end the process, as a test says.

The faults are injected into Python's `os`, before a command begins, and in this process alone: workers are spared.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any

_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "interrupt": signal.SIGINT, "terminate": signal.SIGTERM}
_ERRORS = {"full": errno.ENOSPC, "read-only": errno.EROFS}


_acted: list[str] = []


@dataclass(frozen=True)
class Fault:
    """From the `number`-th call of `os.<call>` on a file under the name `of`: act, `times` times (0: always).

    `act` is kill, stop, interrupt or terminate (this process is sent the signal before the call), half (the process is
    killed when half of what it writes is written), short (one byte is written), full or read-only (the call fails).
    With `follows` calls count from when another fault has acted.
    """

    call: str
    of: str
    act: str
    number: int = 1
    times: int = 1
    follows: bool = False


_START = (
    "from evonas_cli.__main__ import look_here_last, main; look_here_last(); "
    "from evonas_cli.torture.child import inject_all; inject_all(); main()"
)


def command(faults: Sequence[Fault]) -> list[str]:
    """The words that start `evonas` with the faults; the words of the command line follow them."""
    return [sys.executable, "-c", _START, json.dumps([asdict(fault) for fault in faults])]


def inject_all() -> None:
    """Injects what the first word of the command line says, and takes that word away."""
    for fault in json.loads(sys.argv.pop(1)):
        inject(Fault(**fault))


def inject(fault: Fault) -> None:
    """Puts the fault into `os`."""
    real: Callable[..., Any] = getattr(os, fault.call)
    seen = 0

    def call(*arguments: Any, **options: Any) -> Any:
        nonlocal seen
        if not _concerns(fault, arguments) or (fault.follows and not _acted):
            return real(*arguments, **options)
        seen += 1
        due = seen >= fault.number and (not fault.times or seen < fault.number + fault.times)
        return _act(fault.act, real, arguments, options) if due else real(*arguments, **options)

    setattr(os, fault.call, call)


def _act(act: str, real: Callable[..., Any], arguments: Sequence[Any], options: dict[str, Any]) -> Any:
    _acted.append(act)
    if act in _ERRORS:
        raise OSError(_ERRORS[act], os.strerror(_ERRORS[act]))
    if act == "short":
        return real(arguments[0], bytes(arguments[1][:1]))
    if act == "half":
        real(arguments[0], bytes(arguments[1][: max(1, len(arguments[1]) // 2)]))
    os.kill(os.getpid(), _SIGNALS["kill" if act == "half" else act])
    return real(*arguments, **options)


def _concerns(fault: Fault, arguments: Sequence[Any]) -> bool:
    """Whether the call is about a file of that name, or in a folder of that name; making counts for `open` alone."""
    if fault.call == "open" and not (len(arguments) > 1 and arguments[1] & os.O_CREAT):
        return False
    about = arguments[1] if fault.call in ("replace", "rename") else arguments[0]
    try:
        path = os.readlink(f"/proc/self/fd/{about}") if isinstance(about, int) else os.fspath(about)
    except OSError:
        return False
    return not fault.of or fault.of in PurePath(os.fsdecode(path)).parts
