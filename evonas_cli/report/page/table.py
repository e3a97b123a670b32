"""The table of candidates: its columns and the rows that it shows at first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.report.page.front import Shown, leading

FIRST_ROWS = 200
"""Rows shown until all are asked for."""
OTHERS = 4
"""Metrics shown beside the objectives."""


def table(document: Mapping[str, Any], kept: Sequence[Shown]) -> dict[str, Any]:
    """`metrics`: the names shown, objectives first; `rows`: the first rows, as pairs of run and index, the best by the
    first objective first and failures last; `count`: rows in all."""
    metrics = list(document["metrics"])
    objectives = list(dict.fromkeys(name for run in document["runs"] for name in run["objectives"]))
    shown = [*objectives, *[name for name in metrics if name not in objectives][:OTHERS]]
    first = objectives[0]
    sign = -1.0 if document["metrics"][first]["direction"] == "max" else 1.0
    rows = []
    for number, own in enumerate(kept):
        for index, value in enumerate(own.metric(first)):
            missing = value is None or own.columns["status"][index] != "ok"
            rows.append((missing, 0.0 if value is None else sign * value, number, own.columns["id"][index], index))
    rows.sort()
    first_rows = [_row(kept[number], number, index, shown) for _, _, number, _, index in rows[:FIRST_ROWS]]
    return {"metrics": shown, "rows": first_rows, "count": len(rows)}


def _row(own: Shown, number: int, index: int, metrics: Sequence[str]) -> dict[str, Any]:
    columns = own.columns
    return {
        "run": number,
        "index": index,
        "id": columns["id"][index],
        "operator": columns["operator"][index],
        "status": columns["status"][index],
        "front": index in own.front,
        "metrics": [own.metric(name)[index] for name in metrics],
        "seconds": columns["seconds"][index],
        "genome": columns["genome"][index],
    }


def members(document: Mapping[str, Any], kept: Sequence[Shown]) -> list[dict[str, Any]]:
    """The members of the fronts as rows with the objectives of the leading run, by run and in the front's order."""
    found, names = [], leading(document)["objectives"]
    for number, (run, own) in enumerate(zip(document["runs"], kept, strict=True)):
        place = {id: index for index, id in enumerate(own.columns["id"])}
        found += [_row(own, number, place[id], names) for id in run["front"]]
    return found
