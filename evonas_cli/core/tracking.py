"""Trackers: programs beside the run that show what a search finds, and never have a say in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.types import Candidate, Json, Objective, Result


@dataclass(frozen=True, slots=True)
class Described:
    """A run as a tracker is told of it when a session begins.

    `mark` is the same in all sessions of a run and tells the run from every other one. `folder` is where the tracker
    may keep files; it need not exist, and nothing may be written before the first result. `to_json` is a genome as the
    journal has it. `recorded` counts the candidates that earlier sessions have recorded.
    """

    name: str
    mark: str
    folder: Path
    config: Mapping[str, Json]
    objectives: tuple[Objective, ...]
    to_json: Callable[[Any], Json]
    recorded: int = 0


@runtime_checkable
class Tracker(Protocol, metaclass=Capability):
    """What follows a session. All calls after `start` come from one thread of their own, one after the other.

    An exception of a tracker after its start is logged once and switches the tracker off; the run continues. The
    constructor raises UsageError where a package is missing, with what to install.
    """

    def start(self, run: Described) -> bool:
        """A session begins; whether the tracker follows the session. Raises UsageError: the session does not begin.

        The session of an interrupted run continues where the session before ended: `tracker.start(run)` finds what the
        tracker has kept under `run.mark`, and later calls append to that.
        """

    def told(self, candidate: Candidate[Any], result: Result, figures: Mapping[str, float]) -> None:
        """A result was recorded: `tracker.told(candidate, result, {"evaluations": 12, "best/valid_error": 0.07})`.

        `figures` has the number of recorded candidates, the best value so far of each objective (under `best/`, once
        there is one), and the numbers among the strategy's latest figures (under `figures/`).
        """

    def end(self, status: str) -> None:
        """The session is over: done, failed (no candidate succeeded) or interrupted."""
