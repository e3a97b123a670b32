"""No tracker: the run's own files are all that is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas_cli.core.tracking import Described
from evonas_cli.core.types import Candidate, Result


class Untracked:
    """The run's own files alone."""

    def start(self, run: Described) -> bool:
        """No."""
        return False

    def told(self, candidate: Candidate[Any], result: Result, figures: Mapping[str, float]) -> None:
        """Never called."""

    def end(self, status: str) -> None:
        """Never called."""
