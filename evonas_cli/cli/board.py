"""The board that a search shows on a terminal: progress, rate, the best so far and the current front."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evonas_cli.cli.common import pace, readable, several, shorten
from evonas_cli.cli.narrate import Silent, ending, most_often, summary
from evonas_cli.cli.stopping import parting
from evonas_cli.core.display import joined, visible
from evonas_cli.core.front import RunFront
from evonas_cli.core.types import Candidate, Result
from evonas_cli.evaluation.interrupts import deferred
from evonas_cli.report.failures import Tally
from evonas_cli.run.assembly import Parts
from evonas_cli.run.session import Session

_ROWS = 8
WIDTH, HEIGHT = 60, 21
"""Columns and lines of a terminal that has room for the board."""

_SHOW_CURSOR = b"\r\n\x1b[?25h"


class Board(Silent):
    """Redrawn four times a second on stderr; results on stdout stay clean."""

    def __init__(self, parts: Parts) -> None:
        self._objectives, self._space = parts.objectives, parts.space
        self._limit: int | None = parts.config["budget"]["evaluations"]
        self._front, self._shown = RunFront(parts.objectives, parts.told), dict[int, tuple[Result, str]]()
        self._before = self._new = self._failed = self._cached = 0
        self._spent, self._failures = 0.0, Tally()
        self._began, self._lock = time.monotonic(), threading.Lock()
        self._session: Session | None = None

    @contextmanager
    def telling(self, open_session: Callable[[], Session]) -> Iterator[Session]:
        """Shows the board while the context lasts, and at its end what was done."""
        done: list[str] = []
        try:
            with _live(self._draw), super().telling(open_session) as session:
                with self._lock:
                    self._session, self._before = session, len(session.recorder.journal)
                    self._spent = session.recorder.elapsed
                session.recorder.recalled = self._recalled
                with ending(lambda: done.extend(summary(session, self._failures))):
                    yield session
        finally:
            for text in done:
                self.say(text)

    def result(self, candidate: Candidate[Any], result: Result) -> None:
        """Counts the result and takes it into the front."""
        succeeded = self._take(candidate, result)
        with self._lock:
            self._new += 1
            self._cached += result.cached is not None
            self._failed += not succeeded
            if result.error is not None:
                self._failures.add(result.error.kind, result.error.text)

    def _recalled(self, candidate: Candidate[Any], result: Result) -> None:
        self._take(candidate, result)

    def _take(self, candidate: Candidate[Any], result: Result) -> bool:
        """Takes a result into the front, in order of arrival and whatever it cost; whether it succeeded."""
        with self._lock:
            _, joined = self._front.take(candidate, result)
            if joined:
                self._shown[candidate.id] = (result, shorten(self._space.to_json(candidate.proposal.genome)))
                members = {id for id, _ in self._front.members}
                self._shown = {id: shown for id, shown in self._shown.items() if id in members}
        return result.status == "ok"

    def _draw(self) -> Group:
        """The board and an empty line, on which the terminal shows `^C` without moving the board."""
        return Group(self._panel(), Text())

    def _panel(self) -> Panel:
        with self._lock:
            if self._session is None:
                return Panel(Text(f"starting workers ... {time.monotonic() - self._began:.0f} s"), title="evonas")
            measured = Text("  ".join(pace(self._session.recorder.throughput())))
            shown = Group(self._progress(), self._pace(self._session), measured, *self._table())
            return Panel(shown, title=Text(visible(f"evonas  {self._session.run.root}")))

    def _progress(self) -> Table:
        done = self._before + self._new
        total = self._limit or max(done, 1)
        grid = Table.grid(padding=(0, 2))
        shown = f"{done:,}/{self._limit:,}" if self._limit else f"{done:,}"
        grid.add_row(ProgressBar(total=total, completed=done, width=30), shown)
        return grid

    def _pace(self, session: Session) -> Text:
        """Rate of this session, what is left, workers, failures and copies."""
        done, spent = self._before + self._new, session.recorder.elapsed - self._spent
        rate = self._new / spent if spent > 0 else 0.0
        words = ["starting workers"] if not session.evaluator.running else [f"{rate:,.2f} evaluations/s"]
        if self._limit and rate > 0:
            words.append(f"left {(self._limit - done) / rate:,.0f} s")
        words += [several(session.slots, "worker"), f"{self._failed} failed"]
        return Text("  ".join([*words, *([f"{self._cached} cached"] if session.cache.active else [])]))

    def _table(self) -> list[RenderableType]:
        """The best so far, and the front: numbers in full, genomes as far as there is room."""
        best = self._front.members[0].losses[0] if self._front.members else None
        goal = self._objectives[0]
        text = "no result yet" if best is None else f"{readable(-best if goal.direction == 'max' else best)}"
        table = Table(box=None, expand=True)
        for name in ("id", *(objective.name for objective in self._objectives)):
            table.add_column(Text(visible(name)), justify="right", no_wrap=True)
        table.add_column("genome", no_wrap=True, overflow="ellipsis", ratio=1)
        for point in self._front.members[:_ROWS]:
            result, genome = self._shown[point.id]
            numbers = [str(point.id), *(readable(result.metrics[o.name]) for o in self._objectives)]
            table.add_row(*map(Text, numbers), Text(genome))
        more = len(self._front.members) - _ROWS
        rest = [Text(f"and {more} more on the front")] if more > 0 else []
        rest += [Text(joined(line), no_wrap=True, overflow="ellipsis") for line in most_often(self._failures)]
        best_line = Text(visible(f"best {goal.name} so far: {text}"))
        return [best_line, *([table] if self._front.members else []), *rest]


def fits() -> bool:
    """Whether the terminal has room for the board."""
    size = Console(stderr=True).size
    return size.width >= WIDTH and size.height >= HEIGHT


@contextmanager
def _live(draw: Callable[[], RenderableType]) -> Iterator[None]:
    """Draws on stderr while the context lasts, then removes what was drawn and shows the cursor again."""
    console = Console(stderr=True, highlight=False)
    live = Live(get_renderable=draw, console=console, refresh_per_second=4, transient=True)
    with parting(_SHOW_CURSOR):
        try:
            with deferred():
                live.start()
            yield
        finally:
            with deferred():
                live.stop()
