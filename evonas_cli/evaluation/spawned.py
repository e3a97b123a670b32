"""Workers as processes of this machine. They are spawned, not forked, so that CUDA and threads work in them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any

from evonas_cli.core.evaluating import Context
from evonas_cli.core.halting import Deadline
from evonas_cli.core.processes import spawning
from evonas_cli.core.types import Unit
from evonas_cli.evaluation.interrupts import deferred
from evonas_cli.evaluation.scratch import Scratch
from evonas_cli.evaluation.transport import Died, Event, Worker
from evonas_cli.evaluation.worker import serve


class SpawnedWorker:
    """A process and the pipe to it. The process dies with its parent."""

    def __init__(self, process: BaseProcess, pipe: Connection) -> None:
        self._process, self.pipe = process, pipe

    def send(self, unit: Unit[Any]) -> None:
        """As Worker.send."""
        try:
            self.pipe.send(unit)
        except OSError:
            return  # the process is gone, which `event` tells

    def limit(self, deadline: Deadline) -> None:
        """As Worker.limit."""
        try:
            self.pipe.send(deadline)
        except OSError:
            return  # as in `send`

    def event(self) -> Event:
        """What has come through the pipe."""
        try:
            event: Event = self.pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            return Died(f"was killed (exit status {self._process.exitcode})")
        return event

    def memory(self) -> int:
        """As Worker.memory, on Linux: pages that no file holds, so that data which workers map counts in none."""
        try:
            with open(f"/proc/{self._process.pid}/status", encoding="ascii", errors="replace") as file:
                lines = [line.split() for line in file if line.startswith("RssAnon:")]
        except OSError:
            return 0  # the process is gone, which `event` tells
        return 1024 * int(lines[0][1]) if lines else 0

    def close(self) -> None:
        """As Worker.close."""
        self._process.kill()
        self._process.join()
        self.pipe.close()


class Spawned:
    """A transport to processes of this machine, which hold a file without a name together (`scratch.py`).

    `parcel` is the job (`parcel.py`).
    """

    def __init__(self, parcel: bytes, context: Context) -> None:
        self._parcel, self._context = parcel, context
        self._scratch = Scratch()

    @cached_property
    def _spawn(self) -> SpawnContext:
        return spawning()

    def open(self, device: str | None) -> SpawnedWorker:
        """As Transport.open."""
        ours, theirs = self._spawn.Pipe()
        arguments = (theirs, self._parcel, self._context, device, self._scratch)
        process = self._spawn.Process(target=serve, args=arguments, daemon=True, name="evonas-worker")
        with deferred():
            process.start()
        theirs.close()
        return SpawnedWorker(process, ours)

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> list[tuple[Worker, Event]]:
        """As Transport.wait."""
        pipes = {worker.pipe: worker for worker in workers if isinstance(worker, SpawnedWorker)}
        arrived = set(connection.wait(list(pipes), seconds))
        return [(worker, worker.event()) for pipe, worker in pipes.items() if pipe in arrived]

    def close(self) -> None:
        """As Transport.close."""
        self._scratch.close()
