"""The candidates of a run as rows: what each was, what came out, and whether it can be an outcome of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evonas_cli.core.types import Evaluation
from evonas_cli.report.reading import Reading
from evonas_cli.store.records import candidate_in, result_of, spared


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate. `losses` are those of the objectives, None for a failure and for a candidate of a further job.

    `counts` says that the candidate can stand on the front: see `core.front.RunFront`. `trainings` counts evaluations
    up to and with this one in the order of ids, copies and further jobs aside.
    """

    entry: Mapping[str, Any]
    losses: tuple[float, ...] | None
    violation: float
    counts: bool
    trainings: int

    @property
    def id(self) -> int:
        """The candidate's id."""
        return int(self.entry["id"])

    @property
    def failed(self) -> bool:
        """Whether the candidate failed."""
        return bool(self.entry["status"] != "ok")

    @property
    def elapsed(self) -> float:
        """Seconds that the run had been running when the result was recorded."""
        return float(self.entry["elapsed"])

    @property
    def metrics(self) -> Mapping[str, float]:
        """The metrics by name."""
        metrics: Mapping[str, float] = self.entry["metrics"]
        return metrics

    @property
    def operator(self) -> str:
        """The variation that made the genome; `none` where the strategy names none."""
        return str(self.entry["operator"]) or "none"

    @property
    def genome(self) -> str:
        """The genome on one line."""
        genome = self.entry["genome"]
        return genome if isinstance(genome, str) else json.dumps(genome, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a run by ascending id, and the ids of its front, ordered by the objectives."""

    all: tuple[Row, ...]
    front: tuple[int, ...]

    def by_id(self) -> dict[int, Row]:
        """The rows by id."""
        return {row.id: row for row in self.all}


def rows_of(reading: Reading) -> Rows:
    """The rows of a run. Raises RunError for a journal that changes meanwhile."""
    front = reading.parts.front()
    taken: list[tuple[dict[str, Any], Evaluation[Any], int]] = []
    trainings = 0
    for entry in reading.journal:
        evaluation, _ = front.take(candidate_in(entry), result_of(entry))
        trainings += not spared(entry) and not entry.get("job")
        taken.append((entry, evaluation, trainings))
    rows = [
        Row(
            entry,
            evaluation.losses,
            evaluation.violation,
            evaluation.losses is not None
            and not evaluation.violation
            and float(entry.get("fidelity", 1.0)) == front.fidelity
            and (front.over is None or entry["id"] < front.over),
            trainings,
        )
        for entry, evaluation, trainings in taken
    ]
    return Rows(tuple(rows), tuple([id for id, _ in front.members]))
