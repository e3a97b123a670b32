"""A context for evaluations of which nothing is kept."""

from __future__ import annotations

from pathlib import Path

from evonas_cli.core.types import Training


class Nowhere:
    """Candidates have no folders, and reports are dropped: `bench.evaluate(unit, Nowhere())`."""

    def folder(self, id: int) -> Path | None:
        """None."""
        return None

    def report(self, training: Training) -> None:
        """Nothing."""
