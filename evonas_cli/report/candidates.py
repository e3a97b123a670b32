"""The candidates of a run as rows: in the order of a metric, each with its state, and with its kin."""

from __future__ import annotations

import csv
import heapq
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Constraint, Json
from evonas_cli.report.reading import Reading

MAIN = ("valid_loss", "parameters", "multiply_adds", "depth", "cost")
"""Metrics that a table shows beside objectives and constraints, where candidates have them."""
OTHERS = 3
"""How many metrics a table shows of a job that has none of MAIN."""


@dataclass(frozen=True)
class Rows:
    """Candidates in order: `shown` are their journal entries, `count` is how many candidates the run has, `names` are
    the metrics that any candidate has, in the order in which they were first recorded."""

    metric: str
    direction: str
    shown: Sequence[Mapping[str, Any]]
    count: int
    names: Sequence[str]


def ordered(reading: Reading, metric: str | None = None, most: int | None = None) -> Rows:
    """The best `most` candidates by a metric, the first objective unless named; then those without the metric; last
    those that failed.

    Equal candidates stand in the order of their ids. Raises UsageError for a metric that no candidate has.
    """
    objectives = {objective.name: objective.direction for objective in reading.parts.objectives}
    declared = {name: known.direction for name, known in reading.parts.metrics.items()}
    name = metric or reading.parts.objectives[0].name
    direction = objectives.get(name) or declared.get(name, "min")
    names: dict[str, None] = {}

    def keys() -> Iterable[tuple[int, float, int]]:
        for entry in reading.journal:
            names.update(dict.fromkeys(entry["metrics"]))
            value = entry["metrics"].get(name)
            failed = entry["status"] != "ok"
            rank = 2 if failed else 1 if value is None else 0
            loss = 0.0 if rank else float(value) if direction == "min" else -float(value)
            yield rank, loss, entry["id"]

    found = sorted(keys()) if most is None else heapq.nsmallest(most, keys())
    if metric is not None and metric not in names and metric not in declared:
        raise UsageError(f"--sort {metric}: no candidate has this metric (known: {', '.join(names) or 'none'})")
    return Rows(name, direction, [reading.journal.read(id) for _, _, id in found], len(reading.journal), list(names))


def columns(reading: Reading, rows: Rows) -> list[str]:
    """The metrics of a table: objectives, what is sorted by, metrics under constraints, and a few others."""
    limited = [constraint.metric for constraint in reading.parts.constraints]
    objectives = [objective.name for objective in reading.parts.objectives]
    wanted = list(dict.fromkeys([*objectives, rows.metric, *limited]))
    main = [name for name in MAIN if name in rows.names]
    others = main or [name for name in rows.names if name not in wanted][:OTHERS]
    return list(dict.fromkeys([*wanted, *others]))


def state_of(entry: Mapping[str, Any], constraints: Sequence[Constraint], front: frozenset[int]) -> str:
    """`front`, `ok`, `violates` for a success that breaks a constraint, or the kind of a failure."""
    if entry["status"] != "ok":
        return str(entry.get("error", {}).get("kind", "error"))
    if entry["id"] in front:
        return "front"
    return "violates" if any(violated(entry, constraint) for constraint in constraints) else "ok"


def violated(entry: Mapping[str, Any], constraint: Constraint) -> bool:
    """Whether the candidate has the metric and it misses the limit."""
    return constraint.metric in entry["metrics"] and constraint.excess(entry["metrics"]) > 0


def violations(entries: Iterable[Mapping[str, Any]], constraints: Sequence[Constraint]) -> list[dict[str, Json]]:
    """For each constraint, how many candidates it refused before training and how many violated it after.

    A candidate that violates several constraints counts for each of them.
    """
    counts = [[0, 0] for _ in constraints]
    for entry in entries if constraints else ():
        refused = entry.get("error", {}).get("kind") == "refused"
        for number, constraint in enumerate(constraints):
            if (refused or entry["status"] == "ok") and violated(entry, constraint):
                counts[number][0 if refused else 1] += 1
    return [
        {"constraint": str(constraint), "refused": before, "violated": after}
        for constraint, (before, after) in zip(constraints, counts, strict=True)
    ]


def document(reading: Reading, rows: Rows) -> dict[str, Json]:
    """The rows for programs."""
    front = front_ids(reading)
    shown: list[Json] = [
        {
            "id": entry["id"],
            "state": state_of(entry, reading.parts.told, front),
            "step": entry["step"],
            "operator": entry["operator"],
            "parents": entry["parents"],
            "metrics": entry["metrics"],
            "genome": entry["genome"],
            **({"error": entry["error"]} if "error" in entry else {}),
        }
        for entry in rows.shown
    ]
    return {
        "schema": 1,
        "run": str(reading.run.root),
        "sort": rows.metric,
        "direction": rows.direction,
        "count": rows.count,
        "candidates": shown,
    }


def as_csv(reading: Reading, rows: Rows) -> str:
    """The rows with all metrics as CSV; an empty cell where a candidate has no such metric."""
    front = front_ids(reading)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", *rows.names, "operator", "step", "parents", "state", "genome"])
    for entry in rows.shown:
        genome = entry["genome"] if isinstance(entry["genome"], str) else json.dumps(entry["genome"])
        numbers = [entry["metrics"].get(name, "") for name in rows.names]
        state = state_of(entry, reading.parts.told, front)
        parents = " ".join(map(str, entry["parents"]))
        writer.writerow([entry["id"], *numbers, entry["operator"], entry["step"], parents, state, genome])
    return out.getvalue()


def front_ids(reading: Reading) -> frozenset[int]:
    """The ids of the run's front."""
    return frozenset(member["id"] for member in reading.front()["front"])


def kin(reading: Reading, entry: Mapping[str, Any]) -> dict[str, list[dict[str, Json]]]:
    """Parents and children of a candidate, each with the operator by which it was made; ids that the journal lacks, as
    it may after a kill, have the operator None."""
    journal, id = reading.journal, entry["id"]
    parents: list[dict[str, Json]] = [
        {"id": one, "operator": journal.read(one)["operator"] if one in journal else None} for one in entry["parents"]
    ]
    children: list[dict[str, Json]] = [
        {"id": one["id"], "operator": one["operator"]} for one in journal if id in one["parents"]
    ]
    return {"parents": parents, "children": children}
