"""throughput.jsonl and the figures of throughput: what the workers were busy with. Measured times, never compared.

A line tells of the time from the ask of a step, when workers are given the first of it, to its tell, in a session that
evaluated any of it: {"step", "workers", "seconds", "idle_share"}. Steps that take less than 5 ms share a line, that of
the last of them, with the mean of their shares. None of it can be derived again, and no result depends on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas_cli.core.types import Result, Unit
from evonas_cli.store.files import append_text, write_text
from evonas_cli.store.reading import LARGE, is_amount, read_bytes, read_lines
from evonas_cli.store.records import spared

MANY = 4096
"""Lines that wait at most."""
AT_ONCE = 1.0
"""Seconds of a step from which on its line does not wait for others to be written."""
SHORT = 0.005
"""Seconds that steps on one line take at least, together."""

_NAMES = ("step", "workers", "seconds", "idle_share")
_LARGEST = 1e12


@dataclass
class Spent:
    """What a journal tells of: evaluations that were no copies, their seconds and those of training among them."""

    evaluated: int = 0
    seconds: float = 0.0
    training: float = 0.0

    def add(self, entry: Mapping[str, Any]) -> None:
        """Takes an entry. A training that was interrupted counts for what its last session did."""
        if not spared(entry):
            seconds, metrics = entry.get("seconds", 0.0), entry.get("metrics", ())
            self.evaluated += 1
            self.seconds += seconds
            if "train_seconds" in metrics:
                self.training += min(seconds, metrics["train_seconds"])


class Meter:
    """How much of `workers` x time was idle between the ask and the tell of each step.

    As many workers are busy as there are units on their way, at most all. Under a window the steps overlap. `began` is
    when the first unit was given to them.
    """

    def __init__(self, workers: int, clock: Callable[[], float]) -> None:
        self._workers, self._clock = workers, clock
        self.began: float | None = None
        self._now, self._busy = clock(), 0.0
        self._units: dict[int, set[int]] = {}
        self._on_their_way = 0
        self._begun: dict[int, tuple[float, float]] = {}

    def submitted(self, units: Sequence[Unit[Any]]) -> None:
        """The evaluator, ready to work, is given them."""
        self._advance()
        self.began = self._now if self.began is None else self.began
        self._on_their_way += len(units)
        for unit in units:
            candidates = unit.candidates
            self._begun.setdefault(candidates[0].step, (self._now, self._busy))
            if len(candidates) > 1:
                ids = {candidate.id for candidate in candidates}
                self._units.update((id, ids) for id in ids)

    def returned(self, results: Sequence[Result]) -> None:
        """Results came back; a unit is over with its last one."""
        self._advance()
        for result in results:
            ids = self._units.pop(result.id, None)
            if ids is not None:
                ids.remove(result.id)
            self._on_their_way -= not ids

    def told(self, step: int) -> dict[str, Any] | None:
        """The step's line; None where nothing of it was evaluated, or no time has passed."""
        self._advance()
        began = self._begun.pop(step, None)
        if began is None or self._now <= began[0]:
            return None
        seconds = self._now - began[0]
        idle = 1.0 - (self._busy - began[1]) / (self._workers * seconds)
        return {
            "step": step,
            "workers": self._workers,
            "seconds": seconds,
            "idle_share": max(0.0, idle),
        }

    def _advance(self) -> None:
        now = self._clock()
        self._busy += min(self._workers, self._on_their_way) * (now - self._now)
        self._now = now


class ThroughputLog:
    """The file, which only grows, and the idle share of all its lines. A line that was torn is dropped."""

    def __init__(self, path: Path, write: bool = True) -> None:
        self.path = path
        self._waiting: list[str] = []
        self._idle = self._all = 0.0
        self._last: Mapping[str, Any] | None = None
        self._seconds = self._idle_seconds = 0.0
        kept = [self._count(line) for line in read(path)]
        if write and path.exists() and read_bytes(path, LARGE) != "".join(kept).encode():
            write_text(path, "".join(kept))

    @property
    def idle_share(self) -> float | None:
        """Of workers x seconds between asks and tells; None without a line."""
        return self._idle / self._all if self._all else None

    def add(self, line: Mapping[str, Any]) -> None:
        """Takes the line of a told step."""
        seconds = line["seconds"]
        self._last = line
        self._seconds += seconds
        self._idle_seconds += seconds * line["idle_share"]
        if self._seconds >= SHORT:
            self._end_line()
            if seconds >= AT_ONCE or len(self._waiting) >= MANY:
                self.flush()

    def _end_line(self) -> None:
        """The steps since the line before share one."""
        if self._last is not None:
            idle = self._idle_seconds / self._seconds
            self._waiting.append(self._count({**self._last, "seconds": self._seconds, "idle_share": idle}))
        self._last, self._seconds, self._idle_seconds = None, 0.0, 0.0

    def flush(self) -> None:
        """Appends what waits. Raises EnvironmentFailure."""
        self._end_line()
        if not self._waiting:
            return
        append_text(self.path, "".join(self._waiting))
        self._waiting.clear()

    def _count(self, line: Mapping[str, Any]) -> str:
        self._all += line["workers"] * line["seconds"]
        self._idle += line["workers"] * line["seconds"] * line["idle_share"]
        rounded = {**line, "seconds": round(line["seconds"], 6), "idle_share": round(line["idle_share"], 6)}
        return json.dumps(rounded) + "\n"


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The lines that can be read, in the file's order; nothing when there is no file. Raises RunError."""
    return (line for line in read_lines(path) if line is not None and all(_fits(line.get(name)) for name in _NAMES))


def _fits(value: object) -> bool:
    """Whether it is an amount of which the sums and products over all lines stay finite."""
    return is_amount(value) and value < _LARGEST  # type: ignore[operator]


def summary(spent: Spent, elapsed: float, idle_share: float | None) -> dict[str, float | None]:
    """What status.json says, over all sessions of a run; None for what was not measured.

    `candidates_per_hour` counts the evaluated ones over the seconds the run has been running; `share_training` is of
    the seconds that evaluations took.
    """
    return {
        "candidates_per_hour": _rounded(3600 * spent.evaluated, elapsed),
        "device_seconds_per_candidate": _rounded(spent.seconds, spent.evaluated),
        "share_training": _rounded(spent.training, spent.seconds) if spent.training else None,
        "idle_share": None if idle_share is None else _rounded(idle_share, 1.0),
    }


def _rounded(part: float, whole: float) -> float | None:
    return float(f"{part / whole:.4g}") if whole > 0 else None
