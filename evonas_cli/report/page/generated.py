"""The samples of a run's best candidates, generation by generation, and examples of the data beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas_cli.core.errors import EvonasError, RunError
from evonas_cli.network.samples import Generative, Samples
from evonas_cli.report.drawing.samples import draw_samples
from evonas_cli.report.page.figures import thinned
from evonas_cli.report.page.rows import Rows
from evonas_cli.report.page.words import number
from evonas_cli.report.reading import Reading

MOST = 6
"""Generations of which samples are shown."""


def generated(reading: Reading, rows: Rows, best: Mapping[str, Any]) -> dict[str, Any] | None:
    """The samples of the best candidate so far after those steps of the strategy in which there was a new one: MOST of
    them, the first and the last included. None where the job has no samples.

    `best` is the best so far over trainings (`progress.best_so_far`). `steps` has `step`, `id`, `value` of the first
    objective and `samples` as JSON. `data` are examples of the validation part, as JSON; None where the data is gone or
    another one since, and `problem` says so.
    """
    job: Any = reading.parts.job
    if not isinstance(job, Generative):
        return None
    entries = rows.by_id()
    last: dict[int, dict[str, Any]] = {}
    for id, value in zip(best["id"], best["value"], strict=True):
        entry = entries[int(id)].entry
        samples = job.samples(entry.get("payload"))
        if samples is not None:
            last[entry["step"]] = {"step": entry["step"], "id": int(id), "value": value, "samples": samples.to_json()}
    return {"steps": thinned([last[step] for step in sorted(last)], MOST), **_data(reading, job)}


def _data(reading: Reading, job: Generative) -> dict[str, Any]:
    try:
        examples, fingerprint = job.examples()
        if fingerprint != reading.run.metadata()["environment"].get("data"):
            raise RunError("the run was made with other data than its dataset has now")
    except EvonasError as error:  # the rest of the report does not need the data
        return {"data": None, "problem": f"no examples of the data: {error}"}
    return {"data": examples.to_json(), "problem": None}


def has_points(run: Mapping[str, Any]) -> bool:
    """Whether the samples are points, and no images."""
    found = run["generated"]
    return found is not None and any(len(one["samples"]["shape"]) == 1 for one in found["steps"])


def sample_pictures(run: Mapping[str, Any]) -> list[dict[str, str]]:
    """A picture of the data, where there is one, and of each step: `title` and `svg`."""
    found = run["generated"]
    if found is None or not found["steps"]:
        return []
    data = None if found["data"] is None else Samples.from_json(found["data"])
    out = [] if data is None else [{"title": "held-out examples", "svg": draw_samples(data, "held-out examples")}]
    for one in found["steps"]:
        title = f"step {one['step']}: candidate {one['id']}, {run['objectives'][0]} {number(one['value'])}"
        out.append({"title": title, "svg": draw_samples(Samples.from_json(one["samples"]), title, data)})
    return out
