"""The board that a search shows on a terminal: progress, rate, the best so far and the current front."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evonas_cli.cli.common import pace, readable, shorten
from evonas_cli.cli.narrate import Silent
from evonas_cli.core.fold import evaluate
from evonas_cli.core.pareto import Front
from evonas_cli.core.types import Candidate, Result
from evonas_cli.parts import Parts
from evonas_cli.session import Session

_ROWS = 8


class Board(Silent):
    """Redrawn four times a second on stderr; results on stdout stay clean."""

    def __init__(self, parts: Parts) -> None:
        self._objectives, self._space = parts.objectives, parts.space
        self._limit: int | None = parts.config["budget"]["evaluations"]
        self._front, self._shown = Front(), dict[int, tuple[Result, str]]()
        self._before = self._new = self._failed = self._cached = 0
        self._began, self._lock = time.monotonic(), threading.Lock()
        self._session: Session | None = None

    @contextmanager
    def telling(self, open_session: Callable[[], Session]) -> Iterator[Session]:
        """Shows the board while the context lasts."""
        console = Console(stderr=True)
        with (
            Live(get_renderable=self._draw, console=console, refresh_per_second=4, transient=True),
            super().telling(open_session) as session,
        ):
            with self._lock:
                self._session, self._before, self._began = session, len(session.recorder.journal), time.monotonic()
                for id, losses in session.fold.front.members:
                    self._front.add(id, losses)
            yield session

    def result(self, candidate: Candidate[Any], result: Result) -> None:
        """Counts the result and takes it into the front."""
        losses = evaluate(candidate, result, self._objectives).losses
        with self._lock:
            self._new += 1
            self._cached += result.cached is not None
            if losses is None:
                self._failed += 1
            elif self._front.add(candidate.id, losses):
                self._shown[candidate.id] = (result, shorten(self._space.to_json(candidate.proposal.genome)))
                members = {id for id, _ in self._front.members}
                self._shown = {id: shown for id, shown in self._shown.items() if id in members}

    def _draw(self) -> Panel:
        with self._lock:
            if self._session is None:
                return Panel(Text(f"starting workers ... {time.monotonic() - self._began:.0f} s"), title="evonas")
            measured = Text("  ".join(pace(self._session.recorder.throughput())))
            shown = Group(self._progress(), measured, self._table())
            return Panel(shown, title=Text(f"evonas  {self._session.run.root}"))

    def _progress(self) -> Table:
        done, spent = self._before + self._new, time.monotonic() - self._began
        rate = self._new / spent if spent > 0 else 0.0
        total = self._limit or max(done, 1)
        eta = f"{(total - done) / rate:,.0f} s" if self._limit and rate > 0 else "unknown"
        slots = self._session.slots if self._session else 0
        grid = Table.grid(padding=(0, 2))
        grid.add_row(
            ProgressBar(total=total, completed=done, width=30),
            f"{done:,}/{self._limit:,}" if self._limit else f"{done:,}",
            f"{rate:,.2f} evaluations/s",
            f"left {eta}",
            f"{slots} workers",
            f"{self._failed} failed",
            *([f"{self._cached} cached"] if self._session and self._session.cache.active else []),
        )
        return grid

    def _table(self) -> Table:
        best = self._front.members[0].losses[0] if self._front.members else None
        goal = self._objectives[0]
        text = "no result yet" if best is None else f"{readable(-best if goal.direction == 'max' else best)}"
        table = Table(title=f"best {goal.name} so far: {text}", title_justify="left", box=None)
        for name in ("id", *(objective.name for objective in self._objectives)):
            table.add_column(name, justify="right")
        table.add_column("genome", no_wrap=True, overflow="ellipsis")
        for point in self._front.members[:_ROWS]:
            if point.id in self._shown:
                result, genome = self._shown[point.id]
                table.add_row(
                    str(point.id), *(readable(result.metrics[o.name]) for o in self._objectives), Text(genome)
                )
        if len(self._front.members) > _ROWS:
            table.caption = f"and {len(self._front.members) - _ROWS} more on the front"
        return table
