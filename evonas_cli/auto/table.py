"""What an auto has found, for people: a line for each network, and whether the promise of 20 % is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import fmean
from typing import Any

from evonas_cli.core.display import readable
from evonas_cli.core.types import Json
from evonas_cli.report.statistics import t_interval

PROMISE = 0.2
"""LEAF's claim (Liang et al., 2019): at least so much less error than a naive baseline."""
Z = 1.959964
"""The 97.5 % quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Line:
    """A network: the validation metric of the training that was chosen, the test metric of each final training that
    has ended of `seeds`, its parameters, how many trainings it took to find it, and the seconds of the final ones."""

    name: str
    metric: str
    direction: str
    valid: float
    tests: tuple[float, ...]
    seeds: int
    parameters: int
    trainings: int
    seconds: float

    @property
    def tested(self) -> str:
        """The metric's name on the test part."""
        return self.metric.replace("valid", "test", 1)

    @property
    def test(self) -> float | None:
        """The mean over the seeds; None where no final training has ended in time."""
        return fmean(self.tests) if self.tests else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Student's 95 % interval of the mean; None for fewer than two seeds."""
        return t_interval(self.tests)

    @property
    def error(self) -> float | None:
        """What a promise about error compares: the metric where less is better, else 1 minus the metric."""
        if self.test is None:
            return None
        return self.test if self.direction == "min" else 1.0 - self.test

    def to_json(self) -> dict[str, Json]:
        """The line for programs."""
        return {**asdict(self), "tests": list(self.tests), "test": self.test, "interval": _listed(self.interval)}


def rows(lines: Sequence[Line]) -> list[list[str]]:
    """The table's cells, a header first."""
    first = lines[0]
    found = [["network", first.metric, first.tested, "seeds", "parameters", "trainings"]]
    for line in lines:
        seeds = str(len(line.tests)) if len(line.tests) == line.seeds else f"{len(line.tests)} of {line.seeds}"
        cells = [line.name, readable(line.valid), _with_interval(line), seeds, readable(line.parameters)]
        found.append([*cells, f"{line.trainings:,}"])
    return found


def best_by_validation(lines: Sequence[Line]) -> int:
    """The place of the line to be exported: the best validation metric; of equal ones the later, which was tuned."""
    sign = -1.0 if lines[0].direction == "max" else 1.0
    return min(
        (place for place, line in enumerate(lines) if line.tests), key=lambda place: (sign * lines[place].valid, -place)
    )


def verdict(naive: Line, found: Line) -> str:
    """Whether the found network has at least 20 % less error than the naive one on the test part, in words."""
    before, after = naive.error, found.error
    if before is None or after is None:
        return "20 % less error than the naive network: unknown, since a final training was cut by the budget"
    if before <= 0:
        return "20 % less error than the naive network: impossible, since the naive network makes none"
    less = 1 - after / before
    word = "held" if less >= PROMISE else "not held"
    change = f"{abs(less):.0%} {'less' if less >= 0 else 'more'}"
    shown = f"{readable(before)} and {readable(after)}"
    what = "" if naive.direction == "min" else f", error being 1 - {naive.tested}"
    return f"20 % less error than the naive network: {word} ({change}: {shown}{what}; {_apart(naive, found)})"


def wilson(error: float, examples: int) -> tuple[float, float]:
    """Wilson's 95 % interval (1927) of a share of errors among so many examples: `wilson(0.0, 10)` is (0, 0.28)."""
    center = (error + Z * Z / (2 * examples)) / (1 + Z * Z / examples)
    half = Z * sqrt(error * (1 - error) / examples + Z * Z / (4 * examples * examples)) / (1 + Z * Z / examples)
    return max(0.0, center - half), min(1.0, center + half)


def notes(lines: Sequence[Line], examples: int) -> list[str]:
    """What the figures mean, for people; `examples` counts the test part."""
    last = lines[-1]
    said = [f"{last.metric}: of the one training that was chosen, so it flatters all but the naive network"]
    if any(line.interval for line in lines):
        said.append(f"{last.tested} [low, high]: 95 % CI of the mean over the seeds (Student's t)")
    if last.metric == "valid_error" and last.test is not None:
        low, high = wilson(last.test, examples)
        said.append(
            f"the test part has {examples:,} examples, which alone leave {readable(last.test)} between "
            f"{readable(low)} and {readable(high)} (Wilson)"
        )
    return said


def document(lines: Sequence[Line], examples: int) -> dict[str, Any]:
    """The same for programs."""
    return {
        "lines": [line.to_json() for line in lines],
        "test_examples": examples,
        "promise": {"least": PROMISE, "less": _less(lines[0], lines[-1])},
    }


def _less(naive: Line, found: Line) -> float | None:
    before, after = naive.error, found.error
    return None if before is None or after is None or before <= 0 else 1 - after / before


def _apart(first: Line, second: Line) -> str:
    one, other = first.interval, second.interval
    if one is None or other is None:
        return "one seed, so without an interval"
    return "the intervals overlap" if one[0] <= other[1] and other[0] <= one[1] else "the intervals do not overlap"


def _with_interval(line: Line) -> str:
    if line.test is None:
        return "cut"
    if line.interval is None:
        return readable(line.test)
    low, high = line.interval
    return f"{readable(line.test)} [{readable(low)}, {readable(high)}]"


def _listed(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)
