"""What a run of retrained candidates has found: for each of them mean and interval of its metrics over the seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from evonas_cli.report.statistics import t_interval
from evonas_cli.run.assembly import Parts
from evonas_cli.run.openings import source_of
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric over the seeds that succeeded: its mean, and the 95 % interval of the mean (None for one seed)."""

    mean: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Retrained:
    """A candidate of the source run: `candidates` are those of this run that have its genome, `succeeded` how many of
    them did not fail, of `seeds` in all; `metrics` are empty where none has succeeded."""

    id: int
    candidates: tuple[int, ...]
    seeds: int
    succeeded: int
    metrics: Mapping[str, Measured]


def retrained(run: RunDirectory, parts: Parts, journal: Journal) -> list[Retrained] | None:
    """One entry for each candidate that the run trains again, in its order; None for a run that trains none again."""
    source = source_of(run)
    if source is None:
        return None
    repeats: int = parts.config["strategy"]["repeats"]
    names, found = shown(parts), []
    for place, id in enumerate(source[1]):
        own = [n for n in range(place * repeats, (place + 1) * repeats) if n in journal]
        entries = [entry for entry in map(journal.read, own) if entry["status"] == "ok"]
        values = {name: [entry["metrics"][name] for entry in entries] for name in names if entries}
        metrics = {name: Measured(fmean(each), t_interval(each)) for name, each in values.items()}
        found.append(Retrained(id, tuple(own), len(own), len(entries), metrics))
    return found


def shown(parts: Parts) -> Sequence[str]:
    """The metrics to show: objectives of the validation part, each followed by its like of the test part.

    Where no objective is one of these, the first metric of the validation part stands for them. A job that trains on
    the validation part has no metrics of it.
    """
    metrics: Mapping[str, Any] = parts.job.metrics
    pairs = {name.replace("test", "valid", 1): name for name, metric in metrics.items() if metric.test}
    objectives = [objective.name for objective in parts.objectives]
    if not pairs:
        return objectives
    chosen = [name for name in objectives if name in pairs] or list(pairs)[:1]
    return [name for valid in chosen for name in (valid, pairs[valid]) if name in metrics]
