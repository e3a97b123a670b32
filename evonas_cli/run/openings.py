"""Who has read the test part, and when: each reading stands in the directory of the search whose test part it is.

A test part stays an honest judge only while few decisions depend on it, so each reading is recorded before the first
result of it can be seen.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evonas_cli.core.errors import RunError
from evonas_cli.core.evaluating import Testing
from evonas_cli.core.protocols import Confirming
from evonas_cli.run.assembly import Parts
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.files import append_text
from evonas_cli.store.reading import LARGE, Absent, read_text

FILE = "test_openings.jsonl"
SOURCE = "source"
"""The key of run.json that names the run of which this one trains candidates again (`run`), and their ids (`ids`)."""

_log = logging.getLogger(__name__)


def record(
    run: RunDirectory,
    parts: Parts,
    command: Sequence[str],
    recorded: int = 0,
    source: Mapping[str, Any] | None = None,
) -> None:
    """Notes that `run`, of whose candidates `recorded` are done, is about to read the test part, if its job does.

    `source` is what the run.json of a run that is yet to be made will say. Raises EnvironmentFailure where the note
    cannot be written, so that nothing is read unnoted.
    """
    job: Any = parts.job
    if not (isinstance(job, Testing) and job.tests and isinstance(parts.strategy, Confirming)):
        return
    total, budget = parts.strategy.confirmations, parts.config["budget"]["evaluations"]
    candidates = (total if budget is None else min(total, budget)) - recorded
    _note(run if source is None else RunDirectory(Path(source["run"])), run, command, candidates)


def note(run: RunDirectory, command: Sequence[str], networks: int) -> None:
    """Notes that so many networks made of candidates of `run` are about to be measured on the test part.

    Raises EnvironmentFailure where the note cannot be written, so that nothing is read unnoted.
    """
    _note(run, run, command, networks)


def _note(source: RunDirectory, run: RunDirectory, command: Sequence[str], candidates: int) -> None:
    line = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": list(command),
        "run": str(run.root.absolute()),
        "candidates": candidates,
    }
    append_text(owner(source).root / FILE, json.dumps(line, ensure_ascii=False) + "\n", durable=True)


def owner(run: RunDirectory) -> RunDirectory:
    """The search whose candidates the run trains again, through as many runs as lie between; else the run itself."""
    seen = {run.root.absolute()}
    while (source := source_of(run)) is not None:
        before = RunDirectory(source[0])
        if not before.exists() or before.root.absolute() in seen:
            _log.warning("%s is gone, so readings of the test part are noted in %s", before.root, run.root)
            return run
        run = before
        seen.add(run.root.absolute())
    return run


def source_of(run: RunDirectory) -> tuple[Path, list[int]] | None:
    """The run of which this one trains candidates again, and their ids; None for another run. Raises RunError."""
    source = run.metadata().get(SOURCE)
    if source is None:
        return None
    ids = source.get("ids")
    if not isinstance(source.get("run"), str) or not isinstance(ids, list) or not all(type(id) is int for id in ids):
        raise RunError(f"{run.root}/run.json is damaged (its source is no run with ids); restore it from a copy")
    return Path(source["run"]), ids


def count(run: RunDirectory) -> int:
    """How often the test part of the run's search was read. Raises RunError for a file that is none."""
    try:
        return len(read_text(owner(run).root / FILE, LARGE).splitlines())
    except Absent:
        return 0
