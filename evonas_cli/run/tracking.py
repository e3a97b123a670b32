"""A session's tracker at its distance: it is told what is recorded, in a thread of its own, and can stop nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any

from evonas_cli.config.build import build
from evonas_cli.config.compose import Config
from evonas_cli.core.blame import described, naming
from evonas_cli.core.front import RunFront
from evonas_cli.core.tracking import Described, Tracker
from evonas_cli.core.types import Candidate, Json, Result
from evonas_cli.run.contracts import check_interfaces
from evonas_cli.store.records import candidate_in, result_of

PATIENCE = 30.0
"""Seconds that the end of a session waits for its tracker."""

_log = logging.getLogger(__name__)


def tracker_of(config: Config, allowed: Sequence[str] = ()) -> Tracker:
    """The configured tracker. Raises UsageError where a package that it needs is not installed."""
    tracker: Tracker = build(config["tracker"], "tracker", allowed)
    check_interfaces(tracker=tracker)
    return tracker


class Tracking:
    """The tracker of a session.

    What is told waits in a queue, so that a slow tracker delays no candidate. An exception of the tracker is logged
    once, and the tracker is told nothing more in this session.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker, self._name = tracker, type(tracker).__name__
        self._queue: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._off = False

    def start(self, run: Described, front: RunFront, recorded: Iterable[dict[str, Any]] = ()) -> None:
        """The session begins; `front` is the run's at its beginning, `recorded` are entries of earlier sessions.

        Raises UsageError for whatever the tracker raises.
        """
        with naming(f"tracker {self._name} cannot start; correct its settings or pass tracker=none"):
            wanted = self._tracker.start(run)
        if not wanted:
            return
        self._front, self._objectives, self._count = front, run.objectives, 0
        for entry in recorded:
            self._take(candidate_in(entry), result_of(entry))
        self._thread = threading.Thread(target=self._work, daemon=True, name="evonas-tracker")
        self._thread.start()

    def told(self, candidate: Candidate[Any], result: Result, latest: Mapping[str, Json] | None) -> None:
        """A result was recorded; `latest` are the strategy's last figures."""
        if self._thread is None or self._off:
            return
        self._take(candidate, result)
        self._queue.put((candidate, result, {**self._best(), **_numbers(latest or {})}))

    def end(self, status: str) -> None:
        """The session is over; only the first call counts. Waits `PATIENCE` seconds for what is still to be told."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._queue.put((status,))
        thread.join(PATIENCE)
        if thread.is_alive():
            _log.warning("tracker %s has not ended within %g seconds and lacks results", self._name, PATIENCE)

    def _take(self, candidate: Candidate[Any], result: Result) -> None:
        self._count += 1
        self._front.take(candidate, result)

    def _best(self) -> dict[str, float]:
        """The best value of each objective among the candidates of the front, which has one of the best of each."""
        found: dict[str, float] = {"evaluations": self._count}
        for place, objective in enumerate(self._objectives if self._front.members else ()):
            loss = min(losses[place] for _, losses in self._front.members)
            found[f"best/{objective.name}"] = -loss if objective.direction == "max" else loss
        return found

    def _work(self) -> None:
        try:
            while len(item := self._queue.get()) > 1:
                self._tracker.told(*item)
            self._tracker.end(*item)
        except Exception as error:
            self._off = True
            _log.warning("tracker %s is switched off, the search goes on: %s", self._name, described(error))


def _numbers(latest: Mapping[str, Json]) -> dict[str, float]:
    """The finite numbers among a strategy's figures, by name."""
    found = {f"figures/{name}": value for name, value in latest.items() if name not in ("step", "evaluations")}
    return {name: float(value) for name, value in found.items() if type(value) in (int, float)}  # type: ignore[arg-type]
