"""The board that a search shows on a terminal: progress, rate, what is being trained, the best and the front."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType

from evonas_cli.cli.live import showing
from evonas_cli.cli.narrate import Silent, summary
from evonas_cli.cli.panel import HEIGHT, WIDTH, panel, waiting
from evonas_cli.cli.progress import Progress
from evonas_cli.cli.stopping import Terminated
from evonas_cli.core.types import Candidate, Result
from evonas_cli.run.assembly import Parts
from evonas_cli.run.session import Session


class Board(Silent):
    """Redrawn four times a second on stderr; results on stdout stay clean."""

    def __init__(self, parts: Parts) -> None:
        self._space = parts.space
        limit: int | None = parts.config["budget"]["evaluations"]
        self._progress = Progress("", parts.objectives, parts.told, limit)
        self._before, self._spent = 0, 0.0
        self._began, self._lock = time.monotonic(), threading.Lock()
        self._session: Session | None = None
        self._awaited = ""

    @contextmanager
    def telling(self, open_session: Callable[[], Session]) -> Iterator[Session]:
        """Shows the board while the context lasts, and at its end what was done."""
        done: list[str] = []
        try:
            with showing(self._draw, sys.stderr), super().telling(open_session) as session:
                self._follow(session)
                try:
                    yield session
                except (KeyboardInterrupt, Terminated):
                    done += [*summary(session, self._progress.failures), *self._best()]
                    raise
                done += summary(session, self._progress.failures)
        finally:
            for text in done:
                self.say(text)

    def result(self, candidate: Candidate[Any], result: Result) -> None:
        """Counts the result and takes it into the front."""
        with self._lock:
            self._progress.count(candidate, result)
            self._progress.take(candidate, result, lambda: self._genome(candidate))
            if result.cached is not None:
                self._progress.cached = (self._progress.cached or 0) + 1

    def awaiting(self, text: str) -> None:
        """The next frame shows it."""
        self._awaited = text

    def _follow(self, session: Session) -> None:
        recorder = session.recorder
        with self._lock:
            self._session, self._before = session, len(recorder.journal)
            self._spent = recorder.elapsed
            self._progress.name, self._progress.done = str(session.run.root), self._before
            self._progress.cached = 0 if session.cache.active else None
        recorder.recalled = self._recalled

    def _recalled(self, candidate: Candidate[Any], result: Result) -> None:
        with self._lock:
            self._progress.take(candidate, result, lambda: self._genome(candidate))

    def _genome(self, candidate: Candidate[Any]) -> Any:
        """The genome as JSON; one of a further job may be none."""
        genome = candidate.proposal.genome
        return None if genome is None else self._space.to_json(genome)

    def _best(self) -> list[str]:
        with self._lock:
            return [self._progress.best_words()] if self._progress.front.members else []

    def _draw(self, columns: int, lines: int) -> RenderableType:
        with self._lock:
            if self._session is None:
                return waiting(time.monotonic() - self._began, columns)
            self._update(self._session)
            return panel(self._progress, columns, lines)

    def _update(self, session: Session) -> None:
        """What changes without a result: the time, and what workers have."""
        progress, recorder = self._progress, session.recorder
        spent = recorder.elapsed - self._spent
        running = session.evaluator.running
        progress.seconds, progress.workers = recorder.elapsed, session.slots
        progress.state = self._awaited or ("" if running else "starting workers")
        progress.rate = ((progress.done - self._before) / spent if spent > 0 else 0.0) if running else None
        progress.pace, progress.in_flight = recorder.throughput(), recorder.in_flight()
        progress.trainings = session.evaluator.in_flight.trainings()
        progress.step, progress.figures = session.fold.told, recorder.figures.last or {}


def fits() -> bool:
    """Whether the terminal has room for the board."""
    size = Console(stderr=True).size
    return size.width >= WIDTH and size.height >= HEIGHT
