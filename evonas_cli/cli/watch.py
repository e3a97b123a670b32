"""`evonas watch`: the board of a run that another process works on."""

from __future__ import annotations

import os
import select
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from evonas_cli.cli.common import OUTPUTS, AllowModules, Outputs, Run, readable, say

if TYPE_CHECKING:
    from rich.panel import Panel

    from evonas_cli.cli.progress import Progress
    from evonas_cli.report.following import Follower
    from evonas_cli.run.assembly import Parts
    from evonas_cli.store.glance import Glance

SECONDS = 1.0
"""Between two looks at the run."""
_REMEMBERED = 4096
"""Newest candidates of the journal that are not taken for in flight."""


def watch(run: Run, outputs: Outputs = OUTPUTS, allow_module: AllowModules = None) -> int:
    """Watch a run that is being searched elsewhere.

    A board on a terminal, which q or Ctrl-C leaves; a line per change in a pipe. Ends when the run ends.
    """
    from evonas_cli.report.following import Follower
    from evonas_cli.report.reading import read_parts

    found, parts = read_parts(run, outputs, allow_module or [])
    watched = Watched(parts, Follower(found))
    try:
        watched.look()
        if watched.seen.state == "running":
            if sys.stdout.isatty() and os.environ.get("TERM", "dumb").lower() not in ("dumb", "unknown"):
                _on_a_board(watched)
            else:
                _in_lines(watched)
    except KeyboardInterrupt:
        return 0
    say(watched.last_words())
    return 0


class Watched:
    """A run of another process, as far as it was looked at."""

    def __init__(self, parts: Parts, follower: Follower) -> None:
        self._parts, self._follower = parts, follower
        self.progress, self._anew = self._blank(), 0
        self._recorded: deque[int] = deque(maxlen=_REMEMBERED)
        self.seen: Glance = follower.glance()

    def look(self) -> None:
        """Reads on. Raises RunError for a journal that is damaged."""
        from evonas_cli.store.records import candidate_in, result_of

        seen = self._follower.glance()  # before the journal: what it tells of is in the journal by now
        for entry in self._follower.entries():
            if self._anew != self._follower.began_anew:
                self.progress, self._anew = self._blank(), self._follower.began_anew
            candidate, result = candidate_in(entry), result_of(entry)
            self.progress.count(candidate, result)
            self._recorded.append(candidate.id)
            self.progress.take(candidate, result, partial(entry.__getitem__, "genome"))
            if result.cached is not None:
                self.progress.cached = (self.progress.cached or 0) + 1
        self._update(seen)

    def _update(self, seen: Glance) -> None:
        progress = self.progress
        progress.name, progress.state = str(self._follower.run.root), seen.state
        progress.seconds = seen.seconds + (seen.age if seen.state == "running" else 0.0)
        limit = seen.budget.get("evaluations")
        progress.limit = int(limit) if limit else self._parts.config["budget"]["evaluations"]
        progress.rate = progress.done / seen.seconds if seen.seconds > 0 else None
        recorded = set(self._recorded)  # status.json may be a second older than the journal
        units = [[id for id in unit if id not in recorded] for unit in seen.in_flight]
        progress.in_flight = [unit for unit in units if unit] if seen.state == "running" else []
        progress.figures = self._follower.figures()
        self.seen = seen

    def _blank(self) -> Progress:
        from evonas_cli.cli.progress import Progress

        return Progress("", self._parts.objectives, self._parts.told, None)

    def line(self) -> str:
        """The run on one line."""
        progress = self.progress
        of = f"/{progress.limit:,}" if progress.limit else ""
        words = [f"{progress.done:,}{of}", progress.best_words(), f"{progress.failed:,} failed"]
        flying = sum(map(len, progress.in_flight))
        for name in ("generation", "hypervolume"):
            value = progress.figure(name)
            words += [] if value is None else [f"{name} {readable(value)}"]
        return "  ".join([*words, *([f"{flying:,} in flight"] if flying else [])])

    def last_words(self) -> str:
        """How the run stands when its search, or the watching, has ended."""
        root, state = self._follower.run.root, self.seen.state
        reason = f" ({self.seen.reason})" if self.seen.reason and state in ("done", "failed") else ""
        after = f"; `evonas resume {root}` goes on" if state == "interrupted" else ""
        return f"{root}: {state}{reason}  {self.line()}{after}"

    def draw(self, columns: int, lines: int) -> Panel:
        """The board."""
        from evonas_cli.cli.panel import panel

        return panel(self.progress, columns, lines)


def _in_lines(watched: Watched) -> None:
    """A line for each look that shows something new."""
    before = ""
    while watched.seen.state == "running":
        if (line := watched.line()) != before:
            say(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)
            before = line
        time.sleep(SECONDS)
        watched.look()


def _on_a_board(watched: Watched) -> None:
    """The board, until the run ends or q is pressed."""
    from evonas_cli.cli.live import showing

    with _keys() as pressed, showing(watched.draw, sys.stdout) as live:
        while watched.seen.state == "running":
            if "q" in pressed(SECONDS).lower():
                return
            with live.still():
                watched.look()


@contextmanager
def _keys() -> Iterator[Any]:
    """A function that waits so many seconds for keys and returns those pressed; no terminal to type on gives none."""
    import termios
    import tty

    if not sys.stdin.isatty():
        yield _asleep
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number)
        yield lambda seconds: os.read(number, 64).decode(errors="replace") if _ready(number, seconds) else ""
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _ready(number: int, seconds: float) -> bool:
    return bool(select.select([number], [], [], seconds)[0])


def _asleep(seconds: float) -> str:
    time.sleep(seconds)
    return ""
