"""Runs on disk as samples of a comparison: finding them, below folders too, and reading their journals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.core.front import evaluate, is_outcome
from evonas_cli.core.types import Direction
from evonas_cli.report.curves import Track
from evonas_cli.report.groups import Sample
from evonas_cli.report.patterns import patterns_of
from evonas_cli.report.reading import Reading, read_run
from evonas_cli.run.assembly import Parts
from evonas_cli.run.identity import without_later
from evonas_cli.run.session import DONE, REPEATED
from evonas_cli.store.directory import RunDirectory, below, find
from evonas_cli.store.records import candidate_in, result_of, spared


def locate(reference: str, outputs: Path) -> list[RunDirectory]:
    """The runs meant by a reference: a run's path, `latest`, the beginning of its name, or a folder with runs below.

    Raises RunError for none.
    """
    folder = Path(reference)
    if folder.is_dir() and not RunDirectory(folder).exists():
        found = below(folder)
        if found:
            return found
    return [find(reference, outputs)]


def compared_metric(parts: Parts, metric: str | None) -> tuple[str, Direction]:
    """The metric to compare by, the first objective unless named, and its direction. Raises UsageError."""
    if metric is None:
        return parts.objectives[0].name, parts.objectives[0].direction
    known = parts.metrics
    if metric not in known:
        raise UsageError(
            f"--metric {metric}: the job declares no such metric "
            f"(known: {', '.join(sorted(known))}); one that it only reports goes to --report"
        )
    return metric, known[metric].direction


def read_samples(
    references: Sequence[str],
    outputs: Path,
    allowed: Sequence[str] = (),
    metric: str | None = None,
    report: str | None = None,
) -> list[Sample]:
    """Reads all runs meant. Raises RunError and UsageError."""
    found = [run for reference in references for run in locate(reference, outputs)]
    roots = [run.root.resolve() for run in found]
    for place, root in enumerate(roots):
        if root in roots[:place]:
            raise RunError(f"{found[place].root} is named twice and would count twice; name it once")
    return [_read(read_run(str(run.root), outputs, allowed), metric, report) for run in found]


def _read(reading: Reading, metric: str | None, report: str | None) -> Sample:
    parts, run, several = reading.parts, reading.run, len(reading.parts.objectives) > 1
    name, direction = compared_metric(parts, metric)
    track, sizes = (
        Track(name, direction, report, parts.config["budget"]["cost"], of=reading.subject(name)),
        list[float | None](),
    )
    for expected, entry in enumerate(reading.journal):
        if entry["id"] != expected:
            break
        succeeded = entry["status"] == "ok"
        candidate, result = candidate_in(entry), result_of(entry)
        shown = is_outcome(candidate, result, parts.objectives, parts.told)
        losses = evaluate(candidate, result, parts.objectives).losses if shown and several else None
        if shown and name not in entry["metrics"]:
            raise RunError(f"{run.root}: candidate {expected} has no metric {name}; choose another --metric")
        is_spared = spared(entry) or "job" in entry
        track.add(succeeded, entry["metrics"], entry["seconds"], is_spared, shown, losses)
        sizes.append(entry["metrics"].get("parameters"))
    patterns = patterns_of(run.root.name, parts.space, reading.journal, name, direction)
    reading.journal.close()
    track.ended = run.status().get("reason") in (DONE, REPEATED)
    metadata = run.metadata()
    return Sample(
        str(run.root),
        parts.config["seed"],
        without_later(metadata["identity"]),
        metadata["choices"],
        track,
        metadata["environment"],
        run.state() in ("done", "failed"),
        parts.objectives,
        parts.strategy.demands.objectives,
        tuple(sizes),
        patterns,
        {one.name: reading.subject(one.name) for one in parts.objectives},
    )
