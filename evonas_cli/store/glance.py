"""A run at a glance: run.json, status.json, pareto.csv and how many lines the journal has, of which none is parsed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evonas_cli.core.errors import RunError
from evonas_cli.core.types import Json
from evonas_cli.store import derived
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.reading import is_amount


@dataclass(frozen=True)
class Glance:
    """How far a run is.

    `evaluations` counts the journal's lines, `told_of` what status.json tells of. `best` is the first objective with
    its best value as far as status.json or pareto.csv has it. `budget` has the run's limits by their names, None for no
    limit, and is empty for a run of an older evonas. `choices` are the names that were chosen for the groups of the
    configuration; those of a data set are left out where the run's job uses none. `age` is how many seconds ago
    status.json was written.
    """

    state: str
    evaluations: int
    told_of: int
    best: tuple[str, float] | None
    seconds: float
    reason: str
    budget: Mapping[str, float | None] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)
    created: str | None = None
    in_flight: tuple[tuple[int, ...], ...] = ()
    cost: float = 0.0
    age: float = 0.0

    def document(self) -> dict[str, Json]:
        """The same for programs."""
        best: Json = None if self.best is None else {"metric": self.best[0], "value": self.best[1]}
        chosen: dict[str, Json] = {name: self.choices.get(name) for name in ("space", "strategy", "dataset")}
        return {
            "state": self.state,
            "reason": self.reason,
            "evaluations": self.evaluations,
            "budget": dict(self.budget),
            "best": best,
            **chosen,
            "job": self.choices.get("job"),
            "seconds": self.seconds,
            "created": self.created,
        }


def glance(run: RunDirectory) -> Glance:
    """Looks at a run of any state; a damaged one tells what can be read of it."""
    state, lines, status = run.standing()
    created, choices = _described(run)
    seen = status.get("best")
    best = derived.written_best(run.root / "pareto.csv") if seen is None else (seen["metric"], float(seen["value"]))
    reason = status.get("reason", "")
    return Glance(
        state,
        lines,
        status.get("evaluations", 0),
        best,
        float(status.get("elapsed_seconds", 0.0)),
        reason if isinstance(reason, str) else "",
        status.get("budget", {}),
        choices,
        created,
        tuple(tuple(unit) for unit in status.get("in_flight", ())),
        float(cost) if is_amount(cost := status.get("cost", 0.0)) else 0.0,
        _age(run),
    )


def _age(run: RunDirectory) -> float:
    """Seconds since status.json was written; 0 where there is none."""
    try:
        return max(0.0, time.time() - (run.root / "status.json").stat().st_mtime)
    except OSError:
        return 0.0


def _described(run: RunDirectory) -> tuple[str | None, dict[str, str]]:
    try:
        metadata: dict[str, Any] = run.metadata()
    except RunError:
        return None, {}
    choices = {name: word for name, word in metadata["choices"].items() if isinstance(word, str)}
    if not {"data", "task"} <= metadata["environment"].keys():  # the data of a table is the table
        choices.pop("dataset", None)
    return metadata["created"], choices
