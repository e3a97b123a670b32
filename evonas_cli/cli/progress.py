"""What is known of a search while it runs: counts, the front, the best so far and the last results."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evonas_cli.cli.common import readable, shorten
from evonas_cli.core.front import RunFront
from evonas_cli.core.types import Candidate, Constraint, Json, Objective, Result, Training
from evonas_cli.report.failures import Tally

RECENT = 3
"""Results that are shown one by one."""
_REMEMBERED = 256


class BestSoFar:
    """The best value after each evaluation, of long runs after every second, fourth, ... one."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.last: float | None = None
        self._every = self._skipped = 1

    def add(self, value: float | None) -> None:
        """Takes the best value after one more evaluation; None before there is any."""
        if value is None:
            return
        self.last = value
        self._skipped += 1
        if self._skipped >= self._every:
            self.values.append(value)
            self._skipped = 0
        if len(self.values) >= _REMEMBERED:
            self.values, self._every = self.values[1::2], 2 * self._every


@dataclass(frozen=True)
class Shown:
    """A candidate as a row: its metrics and its genome on one line."""

    metrics: Mapping[str, float]
    genome: str


@dataclass
class Progress:
    """Everything that a board shows of a run but the time. With several threads the caller locks each change.

    `limit` is budget.evaluations. `in_flight` are the ids of candidates that were handed to workers and are not back,
    unit by unit; `trainings` are those of them that report how far they are. `figures` are the strategy's latest.
    `pace` are figures of throughput, empty where there are none. `rate` is in evaluations a second, None while it was
    not measured.
    """

    name: str
    objectives: Sequence[Objective]
    constraints: Sequence[Constraint]
    limit: int | None
    done: int = 0
    failed: int = 0
    cached: int | None = None
    seconds: float = 0.0
    rate: float | None = None
    state: str = ""
    workers: int | None = None
    step: int | None = None
    in_flight: Sequence[Sequence[int]] = ()
    trainings: Sequence[Training] = ()
    figures: Mapping[str, Json] = field(default_factory=dict)
    pace: Mapping[str, float | None] = field(default_factory=dict)
    failures: Tally = field(default_factory=Tally)
    best: BestSoFar = field(default_factory=BestSoFar)
    recent: deque[tuple[Candidate[Any], Result]] = field(default_factory=lambda: deque(maxlen=RECENT))
    shown: dict[int, Shown] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.front = RunFront(self.objectives, self.constraints)

    def take(self, candidate: Candidate[Any], result: Result, genome: Callable[[], Json]) -> None:
        """Takes a result into the front and the best so far, in order of arrival and whatever it cost.

        `genome` is asked for the genome as JSON where it will be shown.
        """
        _, joined = self.front.take(candidate, result)
        if joined:
            self.shown[candidate.id] = Shown(dict(result.metrics), shorten(genome()))
            members = {id for id, _ in self.front.members}
            self.shown = {id: shown for id, shown in self.shown.items() if id in members}
        self.best.add(self.best_value())

    def count(self, candidate: Candidate[Any], result: Result) -> None:
        """Counts a result of this session, and remembers it as one of the last."""
        self.done += 1
        if result.status != "ok":
            self.failed += 1
        if result.error is not None:
            self.failures.add(result.error.kind, result.error.text)
        self.recent.append((candidate, result))

    def best_value(self) -> float | None:
        """The best first objective on the front, in the metric's own unit."""
        if not self.front.members:
            return None
        loss = self.front.members[0].losses[0]
        return -loss if self.objectives[0].direction == "max" else loss

    def best_words(self) -> str:
        """`best valid_error so far: 0.05 (candidate 12)`."""
        value, name = self.best_value(), self.objectives[0].name
        if value is None:
            return f"best {name} so far: no result yet"
        return f"best {name} so far: {readable(value)} (candidate {self.front.members[0].id})"

    def figure(self, name: str) -> float | None:
        """A number that the strategy has said of itself."""
        value = self.figures.get(name)
        return value if isinstance(value, int | float) and math.isfinite(value) else None

    def last_words(self) -> list[str]:
        """The last results, the newest first, each on one line."""
        return [self._in_words(*pair) for pair in reversed(self.recent)]

    def _in_words(self, candidate: Candidate[Any], result: Result) -> str:
        if result.error is not None:
            outcome = f"{result.error.kind}: {result.error.text}"
        else:
            names = list(result.metrics) if candidate.proposal.job else [o.name for o in self.objectives]
            outcome = "  ".join(f"{n} {readable(result.metrics[n])}" for n in names if n in result.metrics)
        copied = "" if result.cached is None else f"  copied from {result.cached}"
        return f"{candidate.id}  {outcome}{copied}  {candidate.proposal.operator}  {result.seconds:.2f} s"
