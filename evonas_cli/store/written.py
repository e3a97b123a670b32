"""What lies in a run directory beside the journal, and whether the journal holds what it tells of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evonas_cli.core.fold import Fold
from evonas_cli.store import derived, figures, snapshots
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal


class Written:
    """The derived files of a run as they are on construction.

    The journal is written first, so one that is opened later holds everything that a running search has derived.
    """

    def __init__(self, root: Path) -> None:
        self.root, run = root, RunDirectory(root)
        self.status = run.status()
        self._files = {name: snapshots.numbered(root / name) for name in derived.FOLDERS}
        self.figures = list(figures.read(run.figures))
        table = root / "pareto.csv"
        self._table = table.read_text(encoding="utf-8", errors="replace") if table.is_file() else None

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

    def _front(self, fold: Fold[Any], journal: Journal) -> str:
        """The table of the front that pareto.csv lists, from the journal; which front that is depends on when a search
        was last at work."""
        rows = csv.reader(io.StringIO(self._table, newline=""))
        ids = [int(row[0]) for row in rows if row and row[0].isascii() and row[0].isdecimal()]
        known = [id for id in ids if id in journal]
        return derived.pareto_csv(derived.front_document(fold.objectives, known, journal.read))
