"""Snapshots: the strategy's state, the place of the fold and the front, written from time to time to shorten a resume.

They are derived: without any, a resume folds the journal from its first line to the same state. A snapshot says of
which run it is and what the journal held when it was written, and is used only where both are so still.
"""

from __future__ import annotations

import json
import logging
import zlib
from pathlib import Path
from typing import Any

from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.errors import RunError
from evonas_cli.core.fold import Fold, Position
from evonas_cli.core.front import RunFront
from evonas_cli.core.pareto import Point
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Candidate, Json
from evonas_cli.store.files import discard, write_text
from evonas_cli.store.journal import Journal
from evonas_cli.store.reading import LARGE, is_count, read_json, read_text

FORMAT = 5
"""Rises whenever a member is added here, to `Position` or to a state that strategies share, unless the member is
declared with `codec.later`: what another version wrote is never compared or used."""
_KEPT = 2
_log = logging.getLogger(__name__)


class OtherFormat(RunError):
    """A whole snapshot that another version of evonas wrote."""


def content(fold: Fold[Any], space: Space[Any], journal: Journal, mark: str) -> Json:
    """What a snapshot of the fold holds; `mark` is the run's."""
    return {
        "run": mark,
        "told": journal.checksum(fold.told_evaluations),
        "position": encode(Position, fold.position, space.to_json),
        "state": encode(state_hint(fold.strategy), fold.state, space.to_json),
        "front": [[id, list(losses)] for id, losses in fold.front.members],
        "fidelity": fold.front.fidelity,
    }


def save(folder: Path, fold: Fold[Any], space: Space[Any], journal: Journal, mark: str) -> None:
    """Writes `<told>.json` and drops all but the newest two."""
    body = json.dumps(content(fold, space, journal, mark), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    text = f'{{"format":{FORMAT},"crc":"{zlib.crc32(body.encode()):08x}","snapshot":{body}}}\n'
    write_text(folder / f"{fold.position.told}.json", text, durable=True)
    for old in numbered(folder)[:-_KEPT]:
        old.unlink(missing_ok=True)


def numbered(folder: Path) -> list[Path]:
    """The files `<number>.json` of a folder in the order of their numbers."""
    return sorted((p for p in folder.glob("*.json") if _is_number(p.stem)), key=lambda p: int(p.stem))


def _is_number(stem: str) -> bool:
    return stem.isascii() and stem.isdecimal() and (stem == "0" or stem[0] != "0")


def read(path: Path) -> dict[str, Any]:
    """A snapshot's content. Raises OtherFormat, and RunError for a damaged file."""
    data = read_json(path, LARGE)
    text = read_text(path, LARGE)
    body = text[text.find('"snapshot":') + 11 : -2]
    if data.get("crc") != f"{zlib.crc32(body.encode()):08x}" or not isinstance(data.get("snapshot"), dict):
        raise RunError(f"{path} is damaged")
    if data.get("format") != FORMAT:
        if not is_count(data.get("format")):
            raise RunError(f"{path} is damaged")
        raise OtherFormat(f"{path} was written by another version of evonas")
    snapshot: dict[str, Any] = data["snapshot"]
    return snapshot


def restore(folder: Path, fold: Fold[Any], space: Space[Any], journal: Journal, mark: str) -> list[Candidate[Any]]:
    """Brings the fold to the newest usable snapshot; returns the candidates pending there (none without a snapshot).

    Snapshots that are damaged, of another run or of another journal are passed over with a warning, and removed.
    """
    found: tuple[Position[Any], Any, list[Point], float] | None = None
    for path in reversed(numbered(folder)):
        try:
            usable = _usable(path, fold, space, journal, mark)
        except RunError as error:
            _log.warning("%s and is not used", error)
            discard(path)
            continue
        if usable[0].over is None:
            found = found or usable
    return [] if found is None else fold.restore(*found)


def _usable(
    path: Path, fold: Fold[Any], space: Space[Any], journal: Journal, mark: str
) -> tuple[Position[Any], Any, list[Point], float]:
    """The place, state and front in a snapshot. Raises RunError for one that says nothing about this run."""
    data = read(path)
    if data.get("run") != mark:
        raise RunError(f"{path} is another run's")
    try:
        position = decode(Position, data["position"], space.from_json)
        state = decode(state_hint(fold.strategy), data["state"], space.from_json)
        front, fidelity = [Point(id, tuple(losses)) for id, losses in data["front"]], float(data["fidelity"])
        RunFront(fold.objectives).restore(front, fidelity)
    except Exception as error:  # what a space or strategy raises for data of another shape is its own affair
        raise RunError(f"{path} does not fit this strategy ({' '.join(str(error).split())[:120]})") from error
    if not all(id in journal for id in range(position.told_evaluations)):
        raise RunError(f"{path} is ahead of the journal")
    if data.get("told") != journal.checksum(position.told_evaluations):
        raise RunError(f"{path} was written from other results than the journal holds")
    return position, state, front, fidelity
