"""Human patterns as baselines: what a run of `evonas bench patterns` has measured, and how it stands to other runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from evonas_cli.core.display import readable
from evonas_cli.core.types import Direction
from evonas_cli.genomes.capabilities import Patterned
from evonas_cli.report.statistics import t_interval

KEEPING = frozenset(
    f"trainer.{key}"
    for key in ("save_state", "checkpoint_seconds", "stack", "max_parameters", "max_multiply_adds", "eval_batch_size")
)
"""Settings of the trainer that change nothing of what a network learns."""
COMPARABLE = 0.2
"""Networks whose parameters differ by so much, as a share of the larger number, are called comparable in size."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern with the mean of the metric over the trainings that succeeded, of `seeds` in all; `mean` None: none
    has; `interval` is Student's, 95 %, of the mean (None: of one training)."""

    name: str
    parameters: int | None
    seeds: int
    values: tuple[float, ...]
    mean: float | None
    interval: tuple[float, float] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Patterns:
    """All patterns of a run by `metric`, the best first."""

    run: str
    metric: str
    direction: Direction
    rows: tuple[Pattern, ...]

    @property
    def best(self) -> Pattern | None:
        """The pattern with the best mean; None where no training has succeeded."""
        return self.rows[0] if self.rows and self.rows[0].mean is not None else None


def patterns_of(
    run: str, space: Any, journal: Iterable[Mapping[str, Any]], metric: str, direction: Direction
) -> Patterns | None:
    """What the run has measured; None for a run on another space."""
    if not isinstance(space, Patterned):
        return None
    of: dict[str, list[Mapping[str, Any]]] = {}
    genomes: Any = space
    for entry in journal:
        of.setdefault(space.pattern_of(genomes.from_json(entry["genome"])), []).append(entry)
    sign = 1.0 if direction == "min" else -1.0
    rows = [_row(name, entries, metric) for name, entries in of.items()]
    return Patterns(
        run, metric, direction, tuple(sorted(rows, key=lambda row: (row.mean is None, sign * (row.mean or 0.0))))
    )


def _row(name: str, entries: Sequence[Mapping[str, Any]], metric: str) -> Pattern:
    right = [entry for entry in entries if entry["status"] == "ok" and metric in entry["metrics"]]
    values = [float(entry["metrics"][metric]) for entry in right]
    sizes = [entry["metrics"]["parameters"] for entry in right if "parameters" in entry["metrics"]]
    errors = [entry["error"] for entry in entries if "error" in entry]
    return Pattern(
        name,
        int(sizes[0]) if sizes else None,
        len(entries),
        tuple(values),
        fmean(values) if values else None,
        t_interval(values) if len(set(values)) > 1 else None,
        f"{errors[0]['kind']}: {errors[0]['text']}" if errors else "",
    )


def table(found: Patterns) -> list[list[str]]:
    """A row for each pattern, below a row of headings."""
    rows = [["parameters", "seeds", found.metric, "95 % interval", "pattern"]]
    for row in found.rows:
        size = "-" if row.parameters is None else f"{row.parameters:,}"
        seeds = f"{row.seeds}" if len(row.values) == row.seeds else f"{len(row.values)} of {row.seeds}"
        mean = "failed" if row.mean is None else readable(row.mean)
        span = "-" if row.interval is None else f"{readable(row.interval[0])} to {readable(row.interval[1])}"
        rows.append([size, seeds, mean, span, row.name if not row.problem else f"{row.name} ({row.problem[:120]})"])
    return rows


def beside(found: Patterns, others: Mapping[str, tuple[float, float | None]]) -> Iterator[str]:
    """Lines that set the best pattern beside the best of other runs: by name, its value and its parameters."""
    best = found.best
    if best is None or best.mean is None:
        yield f"human patterns ({found.run}): no training has succeeded"
        return
    span = "" if best.interval is None else f" [{readable(best.interval[0])}, {readable(best.interval[1])}]"
    size = "" if best.parameters is None else f" with {best.parameters:,} parameters"
    count = f"{len(best.values)} seed{'' if len(best.values) == 1 else 's'}"
    yield f"best human pattern ({found.run}): {best.name}{size}, {found.metric} {readable(best.mean)}{span}, {count}"
    for name, (value, parameters) in others.items():
        better = value < best.mean if found.direction == "min" else value > best.mean
        said = "better" if better else "equal" if value == best.mean else "not better"
        yield f"  {name}: {readable(value)}{_size(parameters)}, {said}{_comparable(parameters, best.parameters)}"
    if others:
        yield "  the best of a search was chosen by this number, a pattern was not: `evonas retrain` measures it fairly"


def unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """How data or training of two runs differ, by their identities: `trainer.epochs: 8 and 2`; "" where they do not."""
    keys = {key for identity in (one, other) for key in identity if key.startswith(("dataset.", "trainer."))}
    pairs = [(key, one.get(key), other.get(key)) for key in sorted(keys - KEEPING)]
    return "; ".join(f"{key}: {a} and {b}" for key, a, b in pairs if a != b)


def left_out(found: Patterns, apart: str) -> str:
    """The line about patterns that no other run is set beside, since data or training differ."""
    return f"human patterns ({found.run}) are left out: they were trained otherwise ({apart})"


def _size(parameters: float | None) -> str:
    return "" if parameters is None else f" with {parameters:,.0f} parameters"


def _comparable(one: float | None, other: float | None) -> str:
    if one is None or other is None:
        return ""
    near = abs(one - other) <= COMPARABLE * max(one, other)
    return " at comparable parameters" if near else " at parameters that are not comparable"
