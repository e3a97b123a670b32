"""The networks that a report draws: of the best candidate, the knee, and members of the front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evonas_cli.core.errors import EvonasError
from evonas_cli.core.types import Json
from evonas_cli.genomes.capabilities import Buildable, Captioning, Denoising, Recurrent, Sketched
from evonas_cli.network.cell import Cell
from evonas_cli.network.plan import Plan
from evonas_cli.network.task import Task
from evonas_cli.report.page.figures import thinned
from evonas_cli.report.reading import Reading
from evonas_cli.report.regions import is_planar, regions

MOST = 8
"""Networks drawn of a run."""


def chosen(front: Sequence[int], knee: int | None) -> dict[int, list[str]]:
    """The candidates to draw with why: the best, the knee, then members of the front, evenly spaced, MOST in all."""
    if not front or knee is None:
        return {}
    found: dict[int, list[str]] = {front[0]: ["best"]}
    if len(front) > 1:
        found.setdefault(knee, []).append("knee")
    others = [id for id in front if id not in found]
    for id in [*found, *thinned(others, MOST - len(found))]:
        found.setdefault(id, []).append("front")
    return found


def networks(reading: Reading, front: Sequence[int], knee: int | None) -> list[dict[str, Any]]:
    """One entry for each network: the candidate's id and `roles`, the plan and sketches as JSON, counts, settings.

    `plan` is None where the run has no task, as with a table, and where the genome has no network; `problem` says why.
    `neurons` are a graph of neurons with its trained weights, and `plane` what the best one says over the plane of its
    data: for this alone the data is read, without its test part; `problem` says why that was not possible.
    """
    task = reading.run.metadata()["environment"].get("task")
    found = [
        {"id": id, "roles": roles, **_network(reading, reading.journal.read(id), task)}
        for id, roles in chosen(front, knee).items()
    ]
    if found and is_planar(reading):
        found[0] |= _plane(reading, reading.journal.read(found[0]["id"]))
    return found


def _network(reading: Reading, entry: Mapping[str, Any], task: Json) -> dict[str, Any]:
    found: dict[str, Any] = {"plan": None, "cell": None, "neurons": None, "plane": None, "sketches": [], "hyper": {}}
    found |= {"problem": None}
    space = reading.parts.space
    if entry["genome"] is None:
        return found | {"problem": "the candidate has no genome"}
    try:
        genome = space.from_json(entry["genome"])
        if isinstance(space, Sketched):
            found["sketches"] = [
                {
                    "title": s.title,
                    "nodes": list(s.nodes),
                    "links": [list(link) for link in s.links],
                    "joins": list(s.joins),
                }
                for s in space.sketches(genome)
            ]
        if isinstance(space, Recurrent):
            found["cell"] = _cell(space.decode_cell(genome))
        neurons = reading.neurons(entry)
        if neurons is not None:
            found["neurons"] = asdict(neurons)
        if isinstance(space, Buildable) and task is not None:
            phenotype = space.decode(genome, Task.from_json(task))
            found |= {**_plan(phenotype.plan), "hyper": dict(phenotype.hyper)}
        elif isinstance(space, Denoising | Captioning) and (plan := reading.plan(entry)) is not None:
            found |= _plan(plan)
    except EvonasError:
        raise
    except Exception as error:  # whatever the space raises is what is wrong with this genome
        found["problem"] = f"{type(error).__name__}: {error}"
    return found


def _plan(plan: Plan) -> dict[str, Any]:
    counts = {"parameters": plan.parameters, "multiply_adds": plan.multiply_adds, "depth": plan.depth}
    return {"plan": plan.to_json(), **counts}


def _plane(reading: Reading, entry: Mapping[str, Any]) -> dict[str, Any]:
    try:
        _, plane = regions(reading, entry)
    except EvonasError as error:  # the data may be gone or changed since; the rest of the report does not need it
        return {"problem": f"no decision regions: {error}"}
    return {"plane": plane.to_json()}


def _cell(cell: Cell) -> dict[str, Json]:
    nodes: list[Json] = [[node.op, list(node.sources)] for node in cell.nodes]
    return {"nodes": nodes, "output": cell.output, "memories": list(cell.memories)}
