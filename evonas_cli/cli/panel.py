"""The board as Rich draws it: one line for each thing, cut off where the terminal ends, so that its height is known."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evonas_cli.cli.common import pace, readable, several
from evonas_cli.cli.narrate import most_often
from evonas_cli.cli.progress import Progress
from evonas_cli.cli.sparkline import sparkline
from evonas_cli.cli.trainings import newest, share, whose
from evonas_cli.core.display import joined, visible

WIDTH, HEIGHT = 60, 21
"""Columns and lines of a terminal that has room for the board."""
_ROWS = 8
_REST = HEIGHT - 6
"""Lines of the board that are neither rows of the front nor trainings."""
_TRAININGS = 8
"""Trainings that are shown at most, on half of the lines that are left at most."""
_FIGURES = ("generation", "hypervolume")
"""Figures of a strategy that the board shows, where the strategy says them."""


def panel(progress: Progress, columns: int, lines: int) -> Panel:
    """The board for a terminal of this size."""
    trainings = _trainings(progress, max(1, min(_TRAININGS, (lines - _REST) // 2)))
    rows = max(1, min(_ROWS, lines - _REST - len(trainings)))
    body: list[RenderableType] = [_bar(progress, columns), _pace(progress)]
    if progress.pace:
        body.append(_line(Text(fitting(pace(progress.pace), columns - 4), style="dim")))
    body += [_where(progress), _best(progress, columns), _in_flight(progress.in_flight)]
    body += [*trainings, *_front(progress, rows), *_last(progress)]
    return Panel(Group(*body), title=Text(visible(f"evonas  {progress.name}"), style="bold"), width=columns)


def waiting(seconds: float, columns: int) -> Panel:
    """The board before there is a session."""
    return Panel(Text(f"starting workers ... {seconds:.0f} s"), title="evonas", width=columns)


def duration(seconds: float) -> str:
    """`0:01:23`."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def fitting(words: Sequence[str], columns: int) -> str:
    """The first words as far as there is room for all of each; the first one in any case."""
    line = "".join(words[:1])
    for word in words[1:]:
        if len(line) + 2 + len(word) > columns:
            break
        line += f"  {word}"
    return line


def _line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _bar(progress: Progress, columns: int) -> Table:
    """How much of the budget of evaluations is done, the time that passed, and the time that is left."""
    done, limit = progress.done, progress.limit
    grid = Table.grid(padding=(0, 2))
    words = f"{done:,}/{limit:,}" if limit else f"{done:,}"
    words += f"  elapsed {duration(progress.seconds)}"
    if limit and progress.rate:
        words += f"  left {duration(max(0, limit - done) / progress.rate)}"
    for _ in range(2):
        grid.add_column(no_wrap=True)
    width = max(8, min(30, columns - len(words) - 6))
    grid.add_row(ProgressBar(total=limit or max(done, 1), completed=done, width=width), _line(Text(words)))
    return grid


def _pace(progress: Progress) -> Text:
    """Rate of this session, workers, failures and copies."""
    text = Text("  ".join(word for word in (_rate(progress), progress.state) if word))
    if progress.workers is not None:
        text.append(f"  {several(progress.workers, 'worker')}")
    text.append("  ")
    text.append(f"{progress.failed:,} failed", style="red" if progress.failed else "")
    text.append("" if progress.cached is None else f"  {progress.cached:,} cached")
    return _line(text)


def _rate(progress: Progress) -> str:
    return "" if progress.rate is None else f"{progress.rate:,.2f} evaluations/s"


def _where(progress: Progress) -> Text:
    """The step of the search and what the strategy says of itself."""
    words = [] if progress.step is None else [f"step {progress.step:,}"]
    for name in _FIGURES:
        value = progress.figure(name)
        words += [] if value is None else [f"{name} {readable(value)}"]
    return _line(Text("  ".join(words), style="dim"))


def _best(progress: Progress, columns: int) -> Text:
    text = Text(visible(progress.best_words()), style="bold green" if progress.front.members else "")
    room = min(40, columns - len(text.plain) - 6)
    if room >= 8 and len(progress.best.values) > 1:
        text.append("  ")
        text.append(sparkline([*progress.best.values, progress.best.last], room), style="green")
    return _line(text)


def _in_flight(units: Sequence[Sequence[int]]) -> Text:
    """The candidates that workers have, unit by unit: `in flight 12 | 13-16`."""
    if not units:
        return Text("in flight: none", style="dim")
    shown = " | ".join(_ids(unit) for unit in units)
    return _line(Text(f"in flight ({sum(map(len, units)):,}): {shown}", style="cyan"))


def _ids(unit: Sequence[int]) -> str:
    if len(unit) > 2 and unit[-1] - unit[0] == len(unit) - 1:
        return f"{unit[0]}-{unit[-1]}"
    return " ".join(map(str, unit))


def _trainings(progress: Progress, most: int) -> list[Text]:
    """A line for each training that reports: whose it is, its epoch, and the newest value of an objective or loss."""
    objectives = [objective.name for objective in progress.objectives]
    rows = [
        (whose(one.ids), f"epoch {one.epoch}/{one.epochs}{share(one)}", newest(one, objectives))
        for one in progress.trainings
    ]
    shown = rows if len(rows) <= most else rows[: most - 1]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in shown]
    lines += [f"{len(rows) - len(shown)} more"] if len(shown) < len(rows) else []
    heads = ["training  ", *[" " * 10] * len(lines)]
    return [_line(Text(visible(head + line), style="cyan")) for head, line in zip(heads, lines, strict=False)]


def _front(progress: Progress, rows: int) -> list[RenderableType]:
    """Numbers in full, genomes as far as there is room."""
    members = progress.front.members
    if not members:
        return []
    table = Table(box=None, expand=True)
    for name in ("id", *(objective.name for objective in progress.objectives)):
        table.add_column(Text(visible(name)), justify="right", no_wrap=True)
    table.add_column("genome", no_wrap=True, overflow="ellipsis", ratio=1)
    for point in members[:rows]:
        shown = progress.shown[point.id]
        numbers = [str(point.id), *(readable(shown.metrics[o.name]) for o in progress.objectives)]
        table.add_row(*map(Text, numbers), Text(shown.genome))
    more = len(members) - rows
    return [table, *([_line(Text(f"and {more} more on the front", style="dim"))] if more > 0 else [])]


def _last(progress: Progress) -> list[RenderableType]:
    """The last results, the newest first, and the commonest failure."""
    lines: list[RenderableType] = []
    for number, words in enumerate(progress.last_words()):
        head, style = ("last  ", "") if number == 0 else ("      ", "dim")
        lines.append(_line(Text(f"{head}{joined(words)}", style=style)))
    return lines + [_line(Text(joined(line), style="red")) for line in most_often(progress.failures)]
