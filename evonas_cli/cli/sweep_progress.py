"""How the running children of a sweep get on: a live table on a terminal, a line at each quarter in a pipe."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from evonas_cli.cli.common import readable

if TYPE_CHECKING:
    from evonas_cli.store.glance import Glance
    from evonas_cli.sweep.children import Child
    from evonas_cli.sweep.folder import SweepFolder

QUARTERS = (25, 50, 75)
SECONDS = 1.0
"""Between two looks at the children."""
_COLUMNS = ("state", "done", "evaluations", "best so far", "elapsed")
_FEWER, _WIDE = ("state", "evaluations", "best so far"), 90
"""Columns of a table on a terminal that is narrower than so many columns."""
_FRAME = 6
"""Lines of a terminal that the table leaves free."""


class Follow(Protocol):
    """Shows the progress of running children; called often."""

    def __call__(self, running: Collection[Child]) -> None:
        """Looks at them when it is time."""


def share_done(seen: Glance) -> float | None:
    """How much of the budget a run has used, in [0, 1]: of its limits the one used up most; None without a limit."""
    used = {"evaluations": seen.told_of, "seconds": seen.seconds, "cost": seen.cost}
    shares = [used[name] / limit for name, limit in seen.budget.items() if limit and name in used]
    return min(1.0, max(shares)) if shares else None


def words_of(seen: Glance) -> tuple[str, str]:
    """Evaluations of how many, and the best so far."""
    limit = seen.budget.get("evaluations")
    done = f"{seen.told_of:,}/{int(limit):,}" if limit else f"{seen.told_of:,}"
    return done, "-" if seen.best is None else f"{seen.best[0]} {readable(seen.best[1])}"


class Quarters:
    """Says a line when a child has used up a quarter, a half, or three quarters of its budget."""

    def __init__(self, folder: SweepFolder, line: Callable[[str], None]) -> None:
        self._folder, self._line = folder, line
        self._said: dict[Child, int] = {}
        self._looked = 0.0

    def __call__(self, running: Collection[Child]) -> None:
        """Looks at the children that run, at most once a second."""
        from evonas_cli.store.glance import glance

        if time.monotonic() - self._looked < SECONDS:
            return
        self._looked = time.monotonic()
        for child in running:
            run = self._folder.run(child)
            if run.exists():
                self.tell(child, glance(run))

    def tell(self, child: Child, seen: Glance) -> None:
        """Says the highest quarter that was reached since the last line, of a child that is not over."""
        share = share_done(seen)
        reached = [quarter for quarter in QUARTERS if share is not None and 100 * share >= quarter]
        if seen.state != "running" or not reached or reached[-1] <= self._said.get(child, 0):
            return
        self._said[child] = reached[-1]
        done, best = words_of(seen)
        self._line(f"{child.name} {reached[-1]} %  {done}  {best}  {seen.seconds:.1f} s")


class Table:
    """A table of the children that run, and how many are over, left and running."""

    def __init__(self, folder: SweepFolder, children: Sequence[Child], over: Mapping[Child, str]) -> None:
        self._folder, self._children, self.over = folder, children, dict(over)
        self._lock, self._looked = threading.Lock(), 0.0
        self._seen: dict[Child, Glance | None] = {}

    def __call__(self, running: Collection[Child]) -> None:
        """Looks at the children that run, at most once a second, or at once when other ones run."""
        from evonas_cli.store.glance import glance

        now = time.monotonic()
        with self._lock:
            known = set(self._seen)
        if now - self._looked < SECONDS and known == set(running):
            return
        self._looked = now
        places = [(child, self._folder.run(child)) for child in running]
        seen = {child: glance(run) if run.exists() else None for child, run in places}
        with self._lock:
            self._seen = seen

    def ended(self, child: Child, state: str) -> None:
        """The child is over."""
        with self._lock:
            self.over[child] = state
            self._seen.pop(child, None)

    def draw(self, columns: int, lines: int) -> Any:
        """The table for a terminal of this size."""
        from rich.panel import Panel
        from rich.table import Table as Rows
        from rich.text import Text

        from evonas_cli.cli.panel import duration
        from evonas_cli.core.display import visible

        with self._lock:
            seen, over = dict(self._seen), len(self.over)
        rows = Rows(box=None, expand=True)
        shown = _COLUMNS if columns >= _WIDE else _FEWER
        for name in shown:
            rows.add_column(name, justify="right", no_wrap=True)
        rows.add_column("child", no_wrap=True, overflow="ellipsis", ratio=1)
        for child, found in list(seen.items())[: max(1, lines - _FRAME)]:
            cells = _cells(child, found, duration)
            rows.add_row(*(Text(visible(cells[name])) for name in shown), Text(visible(child.name)))
        left = sum(child.refused is None for child in self._children) - over - len(seen)
        title = Text(visible(f"evonas sweep {self._folder.name}"), style="bold")
        counts = f"{over:,} over, {len(seen):,} running, {max(0, left):,} left"
        return Panel(rows, title=title, subtitle=Text(counts), width=columns)


def _cells(child: Child, seen: Glance | None, duration: Callable[[float], str]) -> dict[str, str]:
    """A child's cells by column."""
    if seen is None:
        return dict.fromkeys(_COLUMNS, "") | {"state": "starting"}
    share = share_done(seen)
    done, best = words_of(seen)
    passed = duration(seen.seconds + (seen.age if seen.state == "running" else 0.0))
    percent = "" if share is None else f"{share:.0%}"
    return dict(zip(_COLUMNS, (seen.state, percent, done, best, passed), strict=True))


def on_a_terminal() -> bool:
    """Whether stderr is a terminal that has room for the table."""
    if sys.stderr is None or not sys.stderr.isatty():
        return False
    if os.environ.get("TERM", "dumb").lower() in ("dumb", "unknown"):
        return False
    from evonas_cli.cli.board import fits

    return fits()


@contextmanager
def following(
    folder: SweepFolder, children: Sequence[Child], over: Mapping[Child, str], line: Callable[[str], None]
) -> Iterator[tuple[Follow, Callable[[Child, str], None]]]:
    """A function for running children, and one for a child that is over; a table is shown while the context lasts."""
    if not on_a_terminal():
        yield Quarters(folder, line), lambda child, state: None
        return
    from evonas_cli.cli.live import showing

    table = Table(folder, children, over)
    with showing(table.draw, sys.stderr):
        yield table, table.ended
