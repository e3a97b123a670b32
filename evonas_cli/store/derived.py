"""Files for people and scripts that can always be rebuilt from the journal: populations, fronts, pareto.csv, status."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas_cli.core.errors import RunError
from evonas_cli.core.fold import Fold
from evonas_cli.core.types import Json, Objective
from evonas_cli.store.files import write_text
from evonas_cli.store.reading import read_text

Read = Callable[[int], Mapping[str, Any]]
_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def member(data: Mapping[str, Any]) -> dict[str, Any]:
    """A candidate as populations and fronts show it."""
    return {key: data[key] for key in ("id", "genome", "status", "metrics", "parents", "operator")}


def population_document(fold: Fold[Any], read: Read) -> dict[str, Any]:
    """The living population after the last told step."""
    return {
        "schema": 1,
        "step": fold.told - 1,
        "evaluations": fold.told_evaluations,
        "population": [member(read(id)) for id in fold.strategy.population(fold.settled)],
    }


def front_document(objectives: Sequence[Objective], ids: Sequence[int], read: Read) -> dict[str, Any]:
    """A Pareto front, ordered by the objectives."""
    return {
        "schema": 1,
        "objectives": [o.name for o in objectives],
        "directions": {o.name: o.direction for o in objectives},
        "front": [member(read(id)) for id in ids],
    }


def pareto_csv(document: Mapping[str, Any]) -> str:
    """The front as CSV: id, objectives, the other metrics, genome."""
    objectives, front = document["objectives"], document["front"]
    others = sorted({name for m in front for name in m["metrics"]} - set(objectives))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", *objectives, *others, "genome"])
    for m in front:
        genome = m["genome"] if isinstance(m["genome"], str) else json.dumps(m["genome"])
        writer.writerow([m["id"], *(m["metrics"].get(name, "") for name in (*objectives, *others)), genome])
    return out.getvalue()


def best(fold: Fold[Any]) -> dict[str, Json] | None:
    """The first objective and its best value among what was told, {"metric", "value"}; None before there is any."""
    if not fold.front.members:
        return None
    objective, loss = fold.objectives[0], fold.front.members[0].losses[0]
    return {"metric": objective.name, "value": -loss if objective.direction == "max" else loss}


def written_best(table: Path) -> tuple[str, float] | None:
    """The first objective and its best value, as the first line of a pareto.csv says; None where it says none."""
    try:
        rows = csv.reader(io.StringIO(read_text(table), newline=""))
        names, first = next(rows), next(rows)
        value = float(first[1])
        return (names[1], value) if math.isfinite(value) else None
    except (RunError, StopIteration, IndexError, ValueError, csv.Error):
        return None


def front_file(fold: Fold[Any], read: Read) -> dict[str, Any]:
    """The front after the last step that counts."""
    ids = [id for id, _ in fold.front.members]
    return {"step": fold.front_step, **front_document(fold.objectives, ids, read)}


def write_step(root: Path, fold: Fold[Any], read: Read) -> dict[str, Any]:
    """Writes `populations/<step>.json` and `fronts/<step>.json` for where the fold stands; returns the front's."""
    front = front_file(fold, read)
    write_text(root / "populations" / f"{fold.told - 1}.json", _rows(population_document(fold, read), "population"))
    write_text(root / "fronts" / f"{fold.front_step}.json", _rows(front, "front"))
    return front


def _rows(document: dict[str, Any], key: str) -> str:
    """The document as JSON with a line for each member of the list under `key`."""
    head = {name: value for name, value in document.items() if name != key}
    rows = ",\n".join(map(_dumps, document[key]))
    return f'{_dumps(head)[:-1]}, "{key}": [\n{rows}\n]}}\n'
