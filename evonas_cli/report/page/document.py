"""The numbers behind every figure of a report, as one document for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.network.metrics import meaning
from evonas_cli.report.choosing import knee_of
from evonas_cli.report.drawing.units import axis_title
from evonas_cli.report.explained import explanation_of
from evonas_cli.report.page import about, progress, variation
from evonas_cli.report.page.captioned import captioned
from evonas_cli.report.page.failed import failures, refused
from evonas_cli.report.page.figures import curves, figures
from evonas_cli.report.page.generated import generated
from evonas_cli.report.page.lineage import lineage
from evonas_cli.report.page.networks import networks
from evonas_cli.report.page.rows import Row, Rows, rows_of
from evonas_cli.report.page.species import species
from evonas_cli.report.patterns import Patterns, beside, patterns_of, unlike
from evonas_cli.report.reading import Reading, subjects
from evonas_cli.run.identity import without_later
from evonas_cli.store.derived import front_document
from evonas_cli.store.figures import read

SCHEMA = 1
FIRST = ("parameters", "multiply_adds", "depth", "cost", "train_seconds")
"""Metrics that are offered right behind the objectives, in this order."""


def document(readings: Sequence[Reading]) -> dict[str, Any]:
    """The document of a report: `schema`, `metrics` and one entry under `runs` for each run, in the order given.

    Candidates stand in columns, one value for each candidate by ascending id; a metric that a candidate lacks is None.
    The same runs give the same document. Raises UsageError for no run.
    """
    if not readings:
        raise UsageError("a report needs a run; name one, e.g. `evonas report latest`")
    rows = [rows_of(reading) for reading in readings]
    shared = _shared_bounds(readings, rows)
    names = _names([reading.run.root.name for reading in readings])
    runs = [
        _run(reading, own, name, bounds)
        for reading, own, name, bounds in zip(readings, rows, names, shared, strict=True)
    ]
    for reading, run in zip(readings, runs, strict=True):
        if run["patterns"] is not None:
            run["patterns"]["lines"] = _beside(reading, run, readings, runs)
    return {"schema": SCHEMA, "metrics": _metrics(readings, rows), "runs": runs}


def _beside(
    reading: Reading, run: Mapping[str, Any], readings: Sequence[Reading], runs: Sequence[Mapping[str, Any]]
) -> list[str]:
    """The lines that set the best human pattern of a run beside the best of each other run of the same objective."""
    found, metric = _patterns(reading, run["name"]), run["best_so_far"]["metric"]
    assert found is not None
    others, lines = dict[str, tuple[float, float | None]](), list[str]()
    own = without_later(reading.run.metadata()["identity"])
    for other, about_it in zip(readings, runs, strict=True):
        if about_it["best"] is None or about_it["patterns"] is not None or about_it["best_so_far"]["metric"] != metric:
            continue
        apart = unlike(own, without_later(other.run.metadata()["identity"]))
        metrics = other.journal.read(about_it["best"])["metrics"]
        if apart:
            lines.append(f"{about_it['name']} is not set beside them: it was trained otherwise ({apart})")
        else:
            others[about_it["name"]] = metrics[metric], metrics.get("parameters")
    return [*beside(found, others), *lines]


def _patterns(reading: Reading, name: str) -> Patterns | None:
    first = reading.parts.objectives[0]
    return patterns_of(name, reading.parts.space, reading.journal, first.name, first.direction)


def _run(reading: Reading, rows: Rows, name: str, bounds: progress.Bounds | None) -> dict[str, Any]:
    parts, first = reading.parts, reading.parts.objectives[0].name
    front = front_document(parts.objectives, rows.front, reading.journal.read)
    knee = knee_of(front) if rows.front else None
    logged = list(read(reading.run.figures))
    several = bounds is not None and len(parts.objectives) > 1
    named = _patterns(reading, name)
    pictured = networks(reading, rows.front, knee)
    explained = [explanation_of(reading.run, network["id"]) for network in pictured]
    best_so_far = progress.best_so_far(rows, first)
    return {
        "name": name,
        **about.summary(reading, rows),
        "directions": front["directions"],
        "best": rows.front[0] if rows.front else None,
        "knee": knee,
        "front": list(rows.front),
        "candidates": columns(rows.all),
        "best_so_far": {"metric": first, **best_so_far},
        "hypervolume": {
            "logged": progress.logged_hypervolume(rows, logged),
            "scaled": progress.hypervolume(rows, bounds) if several and bounds is not None else None,
        },
        "figures": figures(logged),
        "species": species(logged),
        "operators": variation.operators(rows),
        "failures": failures(rows),
        "refused": refused(rows, parts.constraints),
        "time": about.spent(reading),
        "lineage": lineage(rows, rows.front[0], parts.space) if rows.front else [],
        "networks": pictured,
        "explanations": [one for one in explained if one is not None],
        "captioned": captioned(reading, rows, rows.front[0] if rows.front else None),
        "generated": generated(reading, rows, best_so_far["trainings"]),
        "curves": curves(rows),
        "retrained": about.readings_of_test(reading),
        "patterns": None if named is None else asdict(named),
        "config": reading.run.config_text(),
        "provenance": about.provenance(reading),
    }


def columns(rows: Sequence[Row]) -> dict[str, Any]:
    """The candidates as columns; `counts` says which can stand on the front."""
    names = sorted({name for row in rows for name in row.metrics})
    return {
        "id": [row.id for row in rows],
        "step": [row.entry["step"] for row in rows],
        "operator": [row.operator for row in rows],
        "parents": [list(row.entry["parents"]) for row in rows],
        "status": [row.entry["error"]["kind"] if "error" in row.entry else row.entry["status"] for row in rows],
        "counts": [row.counts for row in rows],
        "fidelity": [float(row.entry.get("fidelity", 1.0)) for row in rows],
        "cached": [row.entry.get("cached") for row in rows],
        "trainings": [row.trainings for row in rows],
        "seconds": [float(row.entry["seconds"]) for row in rows],
        "elapsed": [row.elapsed for row in rows],
        "genome": [row.genome for row in rows],
        "metrics": {name: [row.metrics.get(name) for row in rows] for name in names},
    }


def _shared_bounds(readings: Sequence[Reading], rows: Sequence[Rows]) -> list[progress.Bounds | None]:
    """For each run the bounds over all runs with the same objectives, so that their hypervolumes can be compared."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for reading, own in zip(readings, rows, strict=True):
        found.setdefault(reading.parts.objectives, []).extend(own.all)
    bounds = {key: progress.bounds_of(every) for key, every in found.items()}
    return [bounds[reading.parts.objectives] for reading in readings]


def _metrics(readings: Sequence[Reading], rows: Sequence[Rows]) -> dict[str, dict[str, str]]:
    """Every metric with direction, meaning and the title of its axes: objectives first, then FIRST, then all others by
    name.

    A metric that no job declares has no direction ("").
    """
    directions: dict[str, str] = {}
    for reading in readings:
        known: Mapping[str, Any] = reading.parts.job.metrics
        directions |= {name: metric.direction for name, metric in known.items() if name not in directions}
    objectives = [objective.name for reading in readings for objective in reading.parts.objectives]
    measured = {name for own in rows for row in own.all for name in row.metrics} | set(objectives)
    ordered = dict.fromkeys([*objectives, *[name for name in FIRST if name in measured], *sorted(measured)])
    found = {}
    for name in ordered:
        direction = directions.get(name, "")
        title = axis_title(name, direction, subjects(readings, name))
        found[name] = {"direction": direction, "meaning": meaning(name), "title": title}
    return found


def _names(names: Sequence[str]) -> list[str]:
    """The names, those that occur twice with a number behind."""
    return [
        f"{name} ({names[: place + 1].count(name)})" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]
