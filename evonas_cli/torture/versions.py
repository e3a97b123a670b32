"""Rows with what another version of evonas has written."""

from __future__ import annotations

import json
import zlib

from evonas_cli.core.errors import RunError
from evonas_cli.store import snapshots
from evonas_cli.store.directory import RunDirectory
from evonas_cli.torture.answering import answered
from evonas_cli.torture.ground import Ground
from evonas_cli.torture.row import Differs, Row, Unable, holds

LATER = 999
"""A format that no version has yet."""


def _run(ground: Ground) -> str:
    run = ground.half()
    path = run.root / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": LATER, "evonas": "99.0"}))
    before = {file: file.read_bytes() for file in run.root.rglob("*") if file.is_file()}
    try:
        answered(ground, run)
    except RunError as error:
        holds("use evonas 99.0 or newer" in str(error), f"other words: {error}")
    else:
        raise Differs("the run was resumed")
    holds(before == {file: file.read_bytes() for file in run.root.rglob("*") if file.is_file()}, "files were changed")
    return "refused with the version to use, nothing changed"


def _snapshot(ground: Ground) -> str:
    run = ground.half()
    return _rewritten(ground, run, LATER) + ", the snapshots not used"


def _older(ground: Ground) -> str:
    run = ground.half()
    return _rewritten(ground, run, 1) + ", the snapshots not used"


def _rewritten(ground: Ground, run: RunDirectory, format: int) -> str:
    """Goes on with a run whose snapshots are of another format, with members that none has."""
    found = snapshots.numbered(run.snapshots)
    if not found:
        raise Unable("so short a search writes no snapshot")
    for path in found:
        body = json.dumps({"later": True})
        crc = f"{zlib.crc32(body.encode()):08x}"
        path.write_text(f'{{"format":{format},"crc":"{crc}","snapshot":{body}}}\n')
    return answered(ground, run)


ROWS = (
    Row("future run", f"run.json of format {LATER}", "refused with the version to use", _run),
    Row("future snapshot", f"snapshots of format {LATER}", "same digest after a resume", _snapshot),
    Row("older snapshot", "snapshots of format 1", "same digest after a resume", _older),
)
