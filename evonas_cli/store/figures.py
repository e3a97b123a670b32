"""figures.jsonl: what a strategy says about its state, and the front's hypervolume, one line per told step.

Derived from the journal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from evonas_cli.core.fold import Fold
from evonas_cli.core.protocols import Figures
from evonas_cli.core.types import Json
from evonas_cli.store.files import append_text, write_text
from evonas_cli.store.reading import is_count, read_lines
from evonas_cli.store.volume import Volume

VOLUME = "hypervolume"
"""The key of the front's hypervolume in a line of a run with several objectives."""


def line(fold: Fold[Any], volume: Volume) -> dict[str, Json] | None:
    """The line for where the fold stands; None for a run of one objective whose strategy has no figures.

    The hypervolume is null as long as there is no reference point.
    """
    strategy: Any = fold.strategy
    own, several = strategy.figures(fold.state) if isinstance(strategy, Figures) else {}, len(fold.objectives) > 1
    if not own and not several:
        return None
    more = {VOLUME: volume.of(fold)} if several else {}
    return {"step": fold.told - 1, "evaluations": fold.told_evaluations, **own, **more}


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The lines that can be read, in the file's order; nothing when there is no file. Raises RunError."""
    return (entry for entry in read_lines(path) if is_line(entry))


def is_line(entry: dict[str, Any] | None) -> TypeGuard[dict[str, Any]]:
    """Whether it is a line of figures."""
    return entry is not None and is_count(entry.get("step"))


class FiguresLog:
    """The file as a running search writes it. Lines wait in memory until `flush`. `last` is the newest line.

    `entry` gives the journal's entry of a told candidate.
    """

    def __init__(self, path: Path, entry: Callable[[int], Mapping[str, Any]]) -> None:
        self.path, self.volume = path, Volume(entry)
        self._waiting: list[str] = []
        self.last: dict[str, Json] | None = None

    def restore(self, told: int) -> None:
        """Drops the lines of steps from `told` on: they are told again."""
        if self.path.exists():
            kept = [entry for entry in read(self.path) if entry["step"] < told]
            self.last = kept[-1] if kept else None
            write_text(self.path, "".join(map(_text, kept)))

    def add(self, fold: Fold[Any]) -> None:
        """Takes the figures of the step just told."""
        entry = line(fold, self.volume)
        if entry is not None:
            self.last = entry
            self._waiting.append(_text(entry))

    def flush(self, durable: bool = False) -> None:
        """Appends what waits; with `durable` it is on the disk when this returns. Raises EnvironmentFailure."""
        if not self._waiting:
            return
        append_text(self.path, "".join(self._waiting), durable)
        self._waiting.clear()


def _text(entry: Json) -> str:
    return json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n"
