"""A session of a search on disk, which may be killed: what the tests of figures.jsonl share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.evaluation.serial import Serial
from evonas_cli.run.assembly import Parts
from evonas_cli.run.search import search
from evonas_cli.store import figures
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.recorder import Recorder


def run(parts: Parts, root: Path, stop_after: int | None = None) -> list[dict[str, Any]]:
    """A session, killed after so many looks at the clock; the lines of figures.jsonl after it."""
    directory, seen = RunDirectory(root), 0
    if not directory.exists():
        empty: dict[str, Any] = {"identity": {}, "environment": {}, "choices": {}}
        directory.create("", {**empty, "allowed_modules": [], "created": "2026-01-01"})
    recorder, fold = Recorder(directory, parts.space, lambda: 0.0, every=4, mark=directory.mark()), parts.fold()

    def killed() -> None:
        nonlocal seen
        seen += 1
        if stop_after is not None and seen > stop_after:
            raise EnvironmentFailure("killed")

    evaluator = Serial(parts.job, directory)
    evaluator.start()
    try:
        search(fold, evaluator, recorder, killed)
        recorder.finish(fold, "done")
    except EnvironmentFailure:
        pass
    finally:
        recorder.close()
    return list(figures.read(directory.figures))
