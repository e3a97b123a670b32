"""Snapshots: the strategy's state, the place of the fold and the front, written from time to time to shorten a resume.

They are derived: without any, a resume folds the journal from its first line to the same state.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Container
from pathlib import Path
from typing import Any

from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.fold import Fold, Position
from evonas_cli.core.pareto import Front
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Candidate, Json
from evonas_cli.store.files import write_text

_KEPT = 2
_log = logging.getLogger(__name__)


def content(fold: Fold[Any], space: Space[Any]) -> Json:
    """What a snapshot of the fold holds."""
    return {
        "position": encode(Position, fold.position, space.to_json),
        "state": encode(state_hint(fold.strategy), fold.state, space.to_json),
        "front": [[id, list(losses)] for id, losses in fold.front.members],
    }


def save(folder: Path, fold: Fold[Any], space: Space[Any]) -> None:
    """Writes `<told>.json` and drops all but the newest two."""
    body = json.dumps(content(fold, space), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    text = f'{{"format":1,"crc":"{zlib.crc32(body.encode()):08x}","snapshot":{body}}}\n'
    write_text(folder / f"{fold.position.told}.json", text, durable=True)
    for old in numbered(folder)[:-_KEPT]:
        old.unlink(missing_ok=True)


def numbered(folder: Path) -> list[Path]:
    """The files `<number>.json` of a folder in the order of their numbers."""
    return sorted(
        (p for p in folder.glob("*.json") if p.stem.isascii() and p.stem.isdecimal()), key=lambda p: int(p.stem)
    )


def read(path: Path) -> dict[str, Any] | None:
    """A snapshot's content, or None when the file is damaged."""
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
        body = text[text.index('"snapshot":') + 11 : -2]
        if data["format"] == 1 and data["crc"] == f"{zlib.crc32(body.encode()):08x}":
            snapshot: dict[str, Any] = data["snapshot"]
            return snapshot
    except (OSError, ValueError, KeyError, TypeError):
        pass
    _log.warning("%s is damaged and is not used", path)
    return None


def restore(folder: Path, fold: Fold[Any], space: Space[Any], journal: Container[int]) -> list[Candidate[Any]]:
    """Brings the fold to the newest usable snapshot; returns the candidates pending there (none without a snapshot).

    A snapshot that was told results which the journal does not hold (it was cut) is passed over.
    """
    for path in reversed(numbered(folder)):
        data = read(path)
        if data is None:
            continue
        try:
            position = decode(Position, data["position"], space.from_json)
            state = decode(state_hint(fold.strategy), data["state"], space.from_json)
        except (ValueError, TypeError, KeyError) as error:
            _log.warning("%s does not fit this strategy (%s) and is not used", path, error)
            continue
        if position.over is not None:
            continue
        if not all(id in journal for id in range(position.told_evaluations)):
            _log.warning("%s is ahead of the journal and is not used", path)
            continue
        front = Front()
        for id, losses in data["front"]:
            front.add(id, tuple(losses))
        return fold.restore(position, state, front)
    return []
