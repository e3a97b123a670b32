"""A run's candidates as tables of pandas, and the ancestors of one of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evonas_cli.core.types import Objective

if TYPE_CHECKING:
    from pandas import DataFrame

FIRST = ("id", "step", "status", "operator", "parents", "fidelity")
LAST = ("seconds", "failure", "genome")


def candidates_frame(entries: Iterable[Mapping[str, Any]], objectives: Sequence[Objective]) -> DataFrame:
    """One row for each journal entry, in their order.

    Columns: `FIRST`, the objectives, the other metrics by name, and `LAST`. `parents` are tuples of ids, `genome` is
    JSON text, `failure` the kind of failure, missing where there is none, `seconds` the duration of the evaluation.
    A metric that a candidate does not have is NaN; one that has the name of another column is called `metric_NAME`.
    """
    from pandas import DataFrame

    found = list(entries)
    names = [objective.name for objective in objectives]
    names += sorted({name for entry in found for name in entry["metrics"]} - set(names))
    columns = {name: f"metric_{name}" if name in (*FIRST, *LAST) else name for name in names}
    rows = [
        [
            *(entry["id"], entry["step"], entry["status"], entry["operator"], tuple(entry["parents"])),
            entry.get("fidelity", 1.0),
            *(entry["metrics"].get(name) for name in names),
            *(entry["seconds"], entry.get("error", {}).get("kind")),
            json.dumps(entry["genome"], ensure_ascii=False),
        ]
        for entry in found
    ]
    frame = DataFrame(rows, columns=[*FIRST, *columns.values(), *LAST])
    return frame.astype({column: float for column in columns.values()})


def curves_frame(entry: Mapping[str, Any]) -> DataFrame:
    """The learning curves of a candidate: `epoch`, `train_loss` and the metrics of the validation part, a row for each
    epoch that was measured. Empty for a candidate that has none."""
    from pandas import DataFrame

    return DataFrame(entry.get("curves", {}))


def lineage(read: Callable[[int], Mapping[str, Any]], id: int, objective: Objective) -> list[tuple[int, str]]:
    """The candidate's ancestors and the candidate itself, the first ancestor first: ids, each with its operator.

    Of several parents the line follows the best by the objective, and of equal ones the first. Parents that were not
    evaluated, or failed, come last.
    """

    def loss(parent: int) -> float:
        entry = read(parent)
        known = entry["status"] == "ok" and objective.name in entry["metrics"]
        return objective.loss(entry["metrics"]) if known else float("inf")

    line: list[tuple[int, str]] = []
    next_: int | None = id
    while next_ is not None:
        entry = read(next_)
        line.append((next_, entry["operator"]))
        older = [parent for parent in entry["parents"] if parent < next_]
        next_ = min(older, key=loss, default=None)
    return line[::-1]
