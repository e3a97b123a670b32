"""What lies in a run directory beside the journal, and whether the journal holds what it tells of."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from evonas_cli.core.errors import RunError
from evonas_cli.core.fold import Fold
from evonas_cli.store import derived, figures, snapshots
from evonas_cli.store.directory import FOLDERS, RunDirectory
from evonas_cli.store.journal import Journal
from evonas_cli.store.reading import LARGE, read_bytes, read_lines

T = TypeVar("T")


class Written:
    """The derived files of a run as they are on construction; `problems` are those that cannot be read.

    The journal is written first, so one that is opened later holds everything that a running search has derived.
    """

    def __init__(self, run: RunDirectory) -> None:
        self.root = run.root
        self.problems = [f"{path} is {what}; --repair moves it away" for path, what in run.misplaced()]
        wrong = {path.name for path, _ in run.misplaced()}
        self.status: dict[str, Any] = {} if "status.json" in wrong else self._taken(run.written_status, {})
        self._files = {name: [] if name in wrong else snapshots.numbered(self.root / name) for name in FOLDERS}
        lines: list[dict[str, Any] | None] = []
        lines = lines if "figures.jsonl" in wrong else self._taken(lambda: list(read_lines(run.figures)), lines)
        self.figures = [line for line in lines if figures.is_line(line)]
        if not all(figures.is_line(line) for line in lines):
            self.problems.append(f"{run.figures} is damaged; --repair writes it again")
        table = self.root / "pareto.csv"
        there = table.exists() and table.name not in wrong
        self._table = self._taken(lambda: read_bytes(table, LARGE).decode(errors="replace"), "") if there else None

    def _taken(self, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except RunError as error:
            self.problems.append(f"{error}; --repair writes it again")
            return otherwise

    def names(self) -> list[str]:
        """The kinds of derived files that are there, in a fixed order; status.json apart."""
        found = [name for name, paths in self._files.items() if paths]
        found += ["figures.jsonl"] if self.figures else []
        return found + (["pareto.csv"] if self._table is not None else [])

    def unfounded(self, fold: Fold[Any], journal: Journal) -> Iterator[str]:
        """A line for each file that tells of more than a fold of the whole journal gives, or of other values."""
        told = fold.position.told
        beyond = {"snapshots": told, "populations": told - 1, "fronts": fold.front_step}
        for name, last in beyond.items():
            for path in self._files[name]:
                if int(path.stem) > last:
                    yield f"{path} tells of more than the journal holds; --repair drops it"
        if any(entry["step"] >= told for entry in self.figures):
            yield f"{self.root / 'figures.jsonl'} tells of more than the journal holds; --repair drops it"
        if self._table is not None and self._table != self._front(fold, journal):
            yield f"{self.root / 'pareto.csv'} is not what the journal gives; --repair writes it again"

    def _front(self, fold: Fold[Any], journal: Journal) -> str | None:
        """The table of the front that pareto.csv lists, from the journal; which front that is depends on when a search
        was last at work. None when the file is no table."""
        rows = csv.reader(io.StringIO(self._table, newline=""))
        try:
            ids = [int(row[0]) for row in rows if row and row[0].isascii() and row[0].isdecimal()]
        except (csv.Error, ValueError):
            return None
        known = [id for id in ids if id in journal]
        return derived.pareto_csv(derived.front_document(fold.objectives, known, journal.read))
