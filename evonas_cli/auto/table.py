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
ERROR = "valid_error"
"""The metric that is a share of examples."""
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

    def interval(self, examples: int) -> tuple[float, float] | None:
        """The 95 % interval of the mean over the seeds (Student). That of an error rate also has Wilson's interval for
        so many test examples within it, since seeds share the test part, and ends at 0 and 1. None for other metrics of
        one seed."""
        found = [] if (own := t_interval(self.tests)) is None else [own]
        if self.metric == ERROR and self.test is not None:
            found.append(wilson(self.test, examples))
            found = [(max(0.0, low), min(1.0, high)) for low, high in found]
        return (min(low for low, _ in found), max(high for _, high in found)) if found else None

    @property
    def error(self) -> float | None:
        """What a promise about error compares: the metric where less is better, else 1 minus the metric."""
        if self.test is None:
            return None
        return self.test if self.direction == "min" else 1.0 - self.test

    def to_json(self, examples: int) -> dict[str, Json]:
        """The line for programs."""
        interval = self.interval(examples)
        shown: Json = None if interval is None else list(interval)
        return {**asdict(self), "tests": list(self.tests), "test": self.test, "interval": shown}


def rows(lines: Sequence[Line], examples: int) -> list[list[str]]:
    """The table's cells, a header first; `examples` counts the test part."""
    first = lines[0]
    found = [["network", first.metric, first.tested, "seeds", "parameters", "trainings"]]
    for line in lines:
        seeds = str(len(line.tests)) if len(line.tests) == line.seeds else f"{len(line.tests)} of {line.seeds}"
        cells = [line.name, readable(line.valid), _with_interval(line, examples), seeds, readable(line.parameters)]
        found.append([*cells, f"{line.trainings:,}"])
    return found


def best_by_validation(lines: Sequence[Line]) -> int:
    """The place of the line to be exported: the best validation metric; of equal ones the later, which was tuned."""
    sign = -1.0 if lines[0].direction == "max" else 1.0
    return min(
        (place for place, line in enumerate(lines) if line.tests), key=lambda place: (sign * lines[place].valid, -place)
    )


def verdict(naive: Line, found: Line, examples: int) -> str:
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
    return f"20 % less error than the naive network: {word} ({change}: {shown}{what}; {_apart(naive, found, examples)})"


def wilson(error: float, examples: int) -> tuple[float, float]:
    """Wilson's 95 % interval (1927) of a share of errors among so many examples: `wilson(0.0, 10)` is (0, 0.28)."""
    center = (error + Z * Z / (2 * examples)) / (1 + Z * Z / examples)
    half = Z * sqrt(error * (1 - error) / examples + Z * Z / (4 * examples * examples)) / (1 + Z * Z / examples)
    return max(0.0, center - half), min(1.0, center + half)


def notes(lines: Sequence[Line], examples: int) -> list[str]:
    """What the figures mean, for people; `examples` counts the test part."""
    last = lines[-1]
    said = [f"{last.metric}: of the one training that was chosen, so it flatters all but the naive network"]
    if last.metric == ERROR:
        said.append(
            f"[low, high]: 95 % CI of the mean over the seeds (Student's t), made to hold that of {examples:,} test "
            "examples (Wilson)"
        )
    elif any(line.interval(examples) for line in lines):
        said.append("[low, high]: 95 % CI of the mean over the seeds (Student's t)")
    return said


def untuned(name: str) -> str:
    """A line about a network that keeps its settings."""
    return f"{name}: tuning has found no settings with a better validation metric, so the network keeps its own"


def document(lines: Sequence[Line], examples: int) -> dict[str, Any]:
    """The same for programs."""
    return {
        "lines": [line.to_json(examples) for line in lines],
        "test_examples": examples,
        "promise": {"least": PROMISE, "less": _less(lines[0], lines[-1])},
    }


def _less(naive: Line, found: Line) -> float | None:
    before, after = naive.error, found.error
    return None if before is None or after is None or before <= 0 else 1 - after / before


def _apart(first: Line, second: Line, examples: int) -> str:
    one, other = first.interval(examples), second.interval(examples)
    if one is None or other is None:
        return "one seed, so without an interval"
    return "the intervals overlap" if one[0] <= other[1] and other[0] <= one[1] else "the intervals do not overlap"


def _with_interval(line: Line, examples: int) -> str:
    if line.test is None:
        return "cut"
    interval = line.interval(examples)
    if interval is None:
        return readable(line.test)
    return f"{readable(line.test)} [{readable(interval[0])}, {readable(interval[1])}]"
