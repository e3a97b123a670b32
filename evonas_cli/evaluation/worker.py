"""The life of a pool's worker process: open a bench once, then evaluate what comes until the parent is gone."""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
import traceback
from collections.abc import Sequence
from functools import partial
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, cast

from evonas_cli.core.blame import described, place, told
from evonas_cli.core.display import log_warnings
from evonas_cli.core.errors import EnvironmentFailure, EvonasError, UsageError
from evonas_cli.core.evaluating import Bench, Context, Place
from evonas_cli.core.halting import Clock, Deadline, Halted
from evonas_cli.core.types import Training, Unit
from evonas_cli.evaluation.parcel import unpacked
from evonas_cli.evaluation.printed import Printed, hearing
from evonas_cli.evaluation.reports import Reporting
from evonas_cli.evaluation.scratch import Scratch
from evonas_cli.evaluation.transport import Broken, Event, Finished, Ready, Reported, Warned
from evonas_cli.evaluation.units import evaluate

WAITING = ("OMP_WAIT_POLICY", "PASSIVE")
"""Threads of one worker that wait for each other sleep, unless the user has said otherwise: where they spin, as by
default, and another process wants a core, each operation may take milliseconds. Read when torch is loaded."""


_SENDING = threading.Lock()
"""Held by the thread that writes to the pipe: warnings may come from any."""


class _Telling(logging.Handler):
    """Warnings of this process: candidates' files keep them, and the pool says them."""

    def __init__(self, pipe: Connection, printed: Printed) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))
        self._pipe, self._printed = pipe, printed

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the record's text and sends it."""
        text = self.format(record)
        self._printed.add(f"{text}\n")
        try:
            _send(self._pipe, Warned(text))
        except OSError:
            return  # the pool is gone, and with it, in a moment, this process


def _send(pipe: Connection, event: Event) -> None:
    with _SENDING:
        pipe.send(event)


class _Told(Clock):
    """A Halt by the deadline that the pool tells last: while a unit is evaluated it tells nothing else."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    def due(self, seconds: float) -> bool:
        try:
            while self._pipe.poll():
                self.deadline = self._pipe.recv()
        except (EOFError, OSError):
            return True  # the pool is gone, and its workers go with it
        return super().due(seconds)


def serve(pipe: Connection, parcel: bytes, context: Context, device: str | None, scratch: Scratch) -> None:
    """Sends Ready, then for each unit received Finished, and Reported meanwhile; or Broken and ends. Warned may come at
    any time.

    `parcel` is the job, `scratch` the pool's file; `device` is the CUDA device of this worker's slot, or None for the
    configured one.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # which may reach a whole group of processes
        signal.signal(number, signal.SIG_IGN)  # the pool says when the worker stops, and kills it
    threading.Thread(target=_die_with_parent, daemon=True).start()
    converse(pipe, parcel, context, device, scratch.file)


def converse(pipe: Connection, parcel: bytes, context: Context, device: str | None, file: int | None) -> None:
    """What `serve` says of its messages, in a process that is there already; `file` may be that of the pool, or None.

    Returns when it has told that it is broken, or nobody is at the other end of the pipe.
    """
    os.environ.setdefault(*WAITING)
    with hearing() as printed:
        log_warnings(_Telling(pipe, printed))
        _serve_units(pipe, parcel, context, Place(device, file, _Told(pipe)), printed)


def _serve_units(pipe: Connection, parcel: bytes, context: Context, where: Place, printed: Printed) -> None:
    """The conversation at a place whose halt is `_Told`."""
    try:
        reporting, bench = Reporting(context, partial(tell, pipe)), unpacked(parcel, where)
        _send(pipe, Ready(bench.environment()))
        while (unit := _next(pipe, cast(_Told, where.halt))) is not None:
            with printed.during(unit, context):
                finished = _finished(bench, unit, reporting)
            _send(pipe, finished)
    except EvonasError as error:
        _send(pipe, Broken(type(error), str(error)))
    except Exception as error:
        users = place(error) is not None and not isinstance(error, OSError | MemoryError)
        text = described(error) if users else f"{told(error)} ({_innermost(error)})"
        _send(pipe, Broken(UsageError if users else EnvironmentFailure, text))


def _finished(bench: Bench[Any], unit: Unit[Any], context: Context) -> Finished:
    """What comes of the unit, before it is asked to stop where it heeds that."""
    results = []
    try:
        for result in evaluate(bench, unit, context):
            results.append(result)
    except Halted as halted:
        there = {result.id for result in results}
        left = tuple([candidate.id for candidate in unit.candidates if candidate.id not in there])
        return Finished(results, left, halted.within, halted.seconds)
    return Finished(results)


def _next(pipe: Connection, clock: Clock) -> Unit[Any] | None:
    """The next unit, or None when the parent has closed the pipe; deadlines before it go to the clock."""
    try:
        while isinstance(told := pipe.recv(), Deadline):
            clock.deadline = told
    except EOFError:
        return None
    unit: Unit[Any] = told
    return unit


def tell(pipe: Connection, trainings: Sequence[Training]) -> None:
    """Sends a report, unless earlier ones fill the pipe because the pool is busy: no training waits for it."""
    room = select.poll()
    room.register(pipe, select.POLLOUT)
    try:
        if room.poll(0):
            _send(pipe, Reported(trainings))
    except OSError:
        return  # the pool is gone, and with it, in a moment, this process


def _innermost(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{os.path.basename(frame.filename)}:{frame.lineno}"


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
