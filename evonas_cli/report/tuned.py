"""Tuned settings beside the configured ones, on seeds that no candidate was chosen by: what tuning was worth."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from evonas_cli.core.searches import Searches
from evonas_cli.core.types import Constraint, Failure, Json
from evonas_cli.report.statistics import t_interval


@dataclass(frozen=True)
class Checked:
    """Losses of the configured (`default`) and of the `tuned` settings on one task, search by search with equal seeds.

    `failure` says why one of them could not search; then there are no losses.
    """

    task: str
    default: tuple[float, ...] = ()
    tuned: tuple[float, ...] = ()
    failure: str | None = None

    @property
    def differences(self) -> list[float]:
        """Tuned minus default, seed by seed; below 0 the tuned settings are better."""
        return [tuned - default for tuned, default in zip(self.tuned, self.default, strict=True)]

    @property
    def interval(self) -> tuple[float, float]:
        """Student's 95 % interval of the mean difference."""
        found = t_interval(self.differences)
        assert found is not None
        return found

    @property
    def verdict(self) -> str:
        """better, worse or not different: whether the interval excludes 0."""
        low, high = self.interval
        return "better" if high < 0 else "worse" if low > 0 else "not different"

    def document(self) -> dict[str, Json]:
        """As JSON."""
        if self.failure is not None:
            return {"task": self.task, "failure": self.failure}
        return {
            "task": self.task,
            "default": {"mean": fmean(self.default), "sd": stdev(self.default), "losses": list(self.default)},
            "tuned": {"mean": fmean(self.tuned), "sd": stdev(self.tuned), "losses": list(self.tuned)},
            "difference": {"mean": fmean(self.differences), "interval": list(self.interval)},
            "verdict": self.verdict,
        }


def finalists(
    entries: Iterable[Mapping[str, Any]], constraints: Sequence[Constraint], count: int
) -> list[Mapping[str, Json]]:
    """The different genomes with the lowest `loss` in a journal, of equals the first ones."""
    good = [
        entry
        for entry in entries
        if entry["status"] == "ok" and not any(one.excess(entry["metrics"]) for one in constraints)
    ]
    found: dict[str, Mapping[str, Json]] = {}
    for entry in sorted(good, key=lambda entry: (entry["metrics"]["loss"], entry["id"])):
        found.setdefault(json.dumps(entry["genome"], sort_keys=True), entry["genome"])
    return list(found.values())[:count]


def winner(
    searches: Searches, settings: Sequence[Mapping[str, Json]], seeds: Sequence[int], metric: str | None
) -> Mapping[str, Json]:
    """The settings with the lowest mean loss over these seeds, of equals the first; a single one without searches.

    The best of many noisy means owes its place to luck as well (the winner's curse), which new seeds do not repeat.
    """
    if len(settings) == 1:
        return settings[0]
    means = []
    for own in settings:
        losses = searches.losses(own, seeds, metric)
        means.append(math.inf if isinstance(losses, Failure) else fmean(losses))
    return settings[means.index(min(means))]


def checked(
    task: str, searches: Searches, settings: Mapping[str, Json], seeds: Sequence[int], metric: str | None
) -> Checked:
    """Searches with the settings and without them, with each of at least two seeds."""
    found = []
    for name, own in (("the default settings", {}), ("the tuned settings", settings)):
        losses = searches.losses(own, seeds, metric)
        if isinstance(losses, Failure):
            return Checked(task, failure=f"{name}: {losses.text}")
        found.append(tuple(losses))
    return Checked(task, found[0], found[1])
