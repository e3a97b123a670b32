"""Reports of trainings on their way from a worker to its pool: few, together, and the newest of each training."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Training

SECONDS = 0.2
"""At least between two messages of a worker."""


class Reporting:
    """The context of a worker's bench: `send` is given what was reported, at most once in `SECONDS`.

    What is reported in between waits for the next report, and gives way to a newer one of the same training.
    """

    def __init__(
        self,
        context: Context,
        send: Callable[[Sequence[Training]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context, self._send, self._clock = context, send, clock
        self._sent, self._lock = -math.inf, threading.Lock()
        self._waiting: dict[tuple[int, ...], Training] = {}

    def folder(self, id: int) -> Path | None:
        """That of the context."""
        return self._context.folder(id)

    def report(self, training: Training) -> None:
        """Sends the report, and what has waited, if it is time."""
        with self._lock:
            self._waiting[training.ids] = training
            now = self._clock()
            if now - self._sent >= SECONDS:
                self._sent = now
                self._send(tuple(self._waiting.values()))
                self._waiting.clear()
