"""What a running search says on stderr: a board on a terminal, plain timed lines in a pipe, nothing when asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from evonas_cli.cli.common import pace, readable, remark, several
from evonas_cli.cli.stopping import Terminated, say_now
from evonas_cli.cli.trainings import in_words
from evonas_cli.core.types import Candidate, Result, Training
from evonas_cli.report.failures import Tally
from evonas_cli.store.records import SOURCE

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from evonas_cli.run.assembly import Parts
    from evonas_cli.run.session import Session

_SILENCE = 55.0
_QUIET = 10.0
"""Seconds without a line after which a line says how far trainings are."""


class Narrator(Protocol):
    """Follows a session."""

    def telling(self, open_session: Callable[[], Session]) -> AbstractContextManager[Session]:
        """Opens the session, follows it while the context lasts, and closes it."""

    def result(self, candidate: Candidate[Any], result: Result) -> None:
        """A result was recorded."""

    def say(self, text: str) -> None:
        """A remark."""

    def awaiting(self, text: str) -> None:
        """What a stop waits for. Called in a signal handler, in the midst of anything."""


def summary(session: Session, failures: Tally) -> list[str]:
    """What a search has done in all its sessions, and how fast; why most of this session's failures failed."""
    recorder, cached = session.recorder, ""
    if session.cache.active:
        cached = f" ({session.fold.position.cached} of them cached)"
    done = f"{session.run.root}: {len(recorder.journal)} evaluations{cached} in {recorder.elapsed:.1f} s"
    lines = [done, ", ".join(pace(recorder.throughput())), *most_often(failures)]
    return [line for line in lines if line]


def most_often(failures: Tally) -> list[str]:
    """One line that says how many failed and the commonest reason, or none."""
    failed = sum(failures.kinds().values())
    return [f"{failed:,} failed; most often ({reason.count:,}): {reason}" for reason in failures.commonest(1)]


@contextmanager
def ending(conclude: Callable[[], None]) -> Iterator[None]:
    """Concludes what ends by itself or is stopped, not what fails."""
    try:
        yield
    except (KeyboardInterrupt, Terminated):
        conclude()
        raise
    conclude()


class Silent:
    """Says remarks only."""

    @contextmanager
    def telling(self, open_session: Callable[[], Session]) -> Iterator[Session]:
        """Opens and closes."""
        session = open_session()
        try:
            yield session
        finally:
            session.close()

    def result(self, candidate: Candidate[Any], result: Result) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """One line."""
        remark(f"evonas: {text}")

    def awaiting(self, text: str) -> None:
        """One line."""
        say_now(f"evonas: {text}")


class Lines(Silent):
    """One line a result; without any, one in ten seconds of how far trainings are, and at least one a minute."""

    def __init__(self, parts: Parts) -> None:
        self._objectives = [objective.name for objective in parts.objectives]
        self._limit = parts.config["budget"]["evaluations"]
        self._done, self._last, self._failures = 0, time.monotonic(), Tally()
        self._trainings: Callable[[], Sequence[Training]] = tuple
        self._told = ""

    @contextmanager
    def telling(self, open_session: Callable[[], Session]) -> Iterator[Session]:
        """Adds a first line, a last one, and the heartbeat."""
        over = threading.Event()
        threading.Thread(target=self._heartbeat, args=(over,), daemon=True).start()
        self.line("starting")
        try:
            with super().telling(open_session) as session:
                self._done = len(session.recorder.journal)
                self.follow(session.evaluator.in_flight.trainings)
                self.line(f"{session.run.root}: {self._done} evaluations recorded, {several(session.slots, 'worker')}")
                with ending(lambda: self._conclude(session)):
                    yield session
        finally:
            over.set()

    def result(self, candidate: Candidate[Any], result: Result) -> None:
        """`12/60 candidate 11 valid_error 0.05 ... 0.8 s genome`."""
        self._done += 1
        source = result.labels.get(SOURCE, result.cached)
        copied = "" if source is None else f"  cached: {source}"
        if result.error is None:
            names = list(result.metrics) if candidate.proposal.job else self._objectives
            shown = [f"{name} {readable(result.metrics[name])}" for name in names]
            outcome = "  ".join([candidate.proposal.job, *shown] if candidate.proposal.job else shown)
        else:
            outcome = f"failed: {result.error.text}"
            self._failures.add(result.error.kind, result.error.text)
        of = f"/{self._limit}" if self._limit else ""
        self.line(f"{self._done}{of}  candidate {candidate.id}  {outcome}{copied}  {result.seconds:.2f} s")

    def awaiting(self, text: str) -> None:
        """A timed line."""
        say_now(f"[{time.strftime('%H:%M:%S')}] {text}")

    def follow(self, trainings: Callable[[], Sequence[Training]]) -> None:
        """From now on `trainings` says what is being trained."""
        self._trainings = trainings

    def _conclude(self, session: Session) -> None:
        for text in summary(session, self._failures):
            self.line(text)

    def line(self, text: str) -> None:
        """A timed line."""
        self._last = time.monotonic()
        remark(f"[{time.strftime('%H:%M:%S')}] {text}")

    def _heartbeat(self, over: threading.Event) -> None:
        while not over.wait(1.0):
            self.beat()

    def beat(self) -> None:
        """A line where it is time for one."""
        silent = time.monotonic() - self._last
        words = in_words(self._trainings(), self._objectives) if silent >= _QUIET else ""
        if words and words != self._told:
            self._told = words
            self.line(words)
        elif silent >= _SILENCE:
            self.line(f"{self._done} evaluations done, working")
