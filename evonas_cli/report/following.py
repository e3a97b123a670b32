"""A run as another process writes it: the lines that the journal gains, and what status.json says meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evonas_cli.core.errors import RunError
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.figures import read as read_figures
from evonas_cli.store.glance import Glance, glance
from evonas_cli.store.journal import parse
from evonas_cli.store.reading import LONGEST_LINE, open_file
from evonas_cli.store.records import is_entry


@dataclass
class Follower:
    """Reads a run's journal on from where it stopped the last time, and leaves everything as it is.

    `began_anew` counts how often the journal was another file or had become shorter, as after a repair. A caller that
    keeps entries has to drop them when the count rises.
    """

    run: RunDirectory
    began_anew: int = 0
    _file: tuple[int, int] | None = None
    _place: int = 0
    _line: int = 0
    _figures: tuple[int, dict[str, Any]] = field(default=(-1, {}))

    def entries(self) -> Iterator[dict[str, Any]]:
        """The entries that were added; a last line that is not whole yet is read the next time.

        Raises RunError for a journal that cannot be read, and for a line in it that is damaged.
        """
        with open_file(self.run.journal) as file:
            status = os.fstat(file.fileno())
            own = (status.st_dev, status.st_ino)
            if self._file not in (None, own) or status.st_size < self._place:
                self.began_anew, self._place, self._line = self.began_anew + 1, 0, 0
            self._file = own
            file.seek(self._place)
            while (raw := file.readline(LONGEST_LINE)).endswith(b"\n"):
                self._place, self._line = self._place + len(raw), self._line + 1
                entry = parse(raw)
                if entry is None or not is_entry(entry):
                    raise RunError(
                        f"{self.run.journal}: line {self._line} is damaged; "
                        f"`evonas verify {self.run.root} --repair` keeps the good lines"
                    )
                yield entry

    def glance(self) -> Glance:
        """The run's state, counts and best value."""
        return glance(self.run)

    def figures(self) -> Mapping[str, Any]:
        """What the strategy said last of itself; empty where it says nothing. Read anew where the file has grown."""
        try:
            size = self.run.figures.stat().st_size
        except OSError:
            return {}
        if size != self._figures[0]:
            last: dict[str, Any] = {}
            for last in read_figures(self.run.figures):  # noqa: B007  # only the last one counts
                pass
            self._figures = (size, last)
        return self._figures[1]
