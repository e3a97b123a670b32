"""Frames on a terminal: each takes the place of the last one, also in a narrower window, below what else is said."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from rich.console import Group
from rich.panel import Panel
from rich.text import Text
from screen import Screen

from evonas_cli.cli.live import SPARE, Live, showing
from evonas_cli.cli.panel import HEIGHT, WIDTH, duration, fitting, panel, waiting
from evonas_cli.cli.progress import BestSoFar, Progress
from evonas_cli.core.types import Candidate, Failure, Objective, Proposal, Result


class Stage:
    """A window whose size the program under test sees, and what stands in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stream, self.screen, self._read = io.StringIO(), Screen(100), 0
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("XTERM_VERSION", raising=False)
        self.columns = 100

    def resize(self, columns: int, wraps: bool = True) -> None:
        """Another width."""
        self.look()
        (self.screen.narrow if wraps else self.screen.cut)(columns)
        self.columns = columns

    def live(self, draw: Callable[[int, int], Any]) -> Live:
        """What draws in the window."""
        return Live(draw, self.stream, lambda: (self.columns, 30))

    def look(self) -> list[str]:
        """The lines that stand in the window."""
        text = self.stream.getvalue()[self._read :]
        self._read += len(text)
        self.screen.write(text.replace("\n", "\r\n"))  # as a terminal does
        return self.screen.lines()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


def box(columns: int, lines: int) -> Panel:
    return Panel(Group(Text(f"{columns} columns"), Text("more")), width=columns)


def expected(window: int) -> list[str]:
    columns = window - SPARE
    inner = columns - 2
    middle = [f"│ {text}".ljust(columns - 1) + "│" for text in (f"{columns} columns", "more")]
    return [f"╭{'─' * inner}╮", *middle, f"╰{'─' * inner}╯"]


def test_a_frame_takes_the_place_of_the_last(stage: Stage) -> None:
    live = stage.live(box)
    live.refresh()
    live.refresh()
    assert stage.look() == expected(100)
    live.say("said\x1b[2J")
    assert stage.look() == [r"said\x1b[2J", *expected(100)]


@pytest.mark.parametrize("widths", [(50,), (80, 60), (99,), (33, 100, 61)])
def test_narrower_windows_leave_nothing_behind(widths: tuple[int, ...], stage: Stage) -> None:
    live = stage.live(box)
    live.say("before")
    for columns in widths:
        stage.resize(columns)
        live.refresh()
        assert stage.look() == ["before", *expected(columns)]


def test_ctrl_c_in_the_middle_of_a_frame_wraps_no_line(stage: Stage) -> None:
    live = stage.live(box)
    live.refresh()
    stage.stream.seek(stage.stream.getvalue().index("more"))
    rest = stage.stream.read()
    stage.stream.seek(stage.stream.tell() - len(rest))
    stage.stream.write(f"^C^C^C{rest}")
    assert any("^C^C^Cmore" in line for line in stage.look())
    live.refresh()
    assert stage.look() == expected(100)


@pytest.mark.parametrize("environment", [{"TERM": "linux"}, {"XTERM_VERSION": "XTerm(390)"}, {"TERM": "screen"}])
def test_terminals_that_cut_lines_off_lose_nothing_above(
    environment: dict[str, str], stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    live = stage.live(box)
    live.say("before")
    stage.resize(50, wraps=False)
    live.refresh()
    assert stage.look() == ["before", *expected(50)]


def test_remarks_and_warnings_appear_above_the_frame(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stage.stream)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "30")
    handler = logging.StreamHandler(stage.stream)
    logging.getLogger().addHandler(handler)
    try:
        with showing(box, stage.stream):
            print("a remark", file=sys.stderr)
            logging.getLogger("evonas_cli").warning("a warning\nof two lines")
            assert stage.look() == ["a remark", "a warning", "of two lines", *expected(100)]
            assert not stage.screen.cursor_shown
    finally:
        logging.getLogger().removeHandler(handler)
    assert stage.look() == ["a remark", "a warning", "of two lines"] and stage.screen.cursor_shown
    assert sys.stderr is stage.stream and handler.stream is stage.stream


def test_a_drawing_that_fails_at_once_says_why(stage: Stage) -> None:
    def broken(columns: int, lines: int) -> Any:
        raise ValueError("no picture")

    with pytest.raises(ValueError, match="no picture"), showing(broken, stage.stream):
        pass
    stage.look()
    assert stage.screen.cursor_shown


def test_a_terminal_that_is_gone_stops_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    live = stage.live(box)
    monkeypatch.setattr(stage.stream, "write", Gone())
    live.start()
    live.stop()


class Gone:
    def __call__(self, text: str) -> int:
        raise OSError("gone")


OBJECTIVES = (Objective("valid_error", "min"), Objective("parameters", "min"))


def results(count: int) -> Progress:
    rng = Random(0)
    progress = Progress("out\x1b[2J <b>", OBJECTIVES, (), 100, workers=2, rate=2.0, seconds=75.0, step=3)
    for id in range(count):
        candidate: Candidate[Any] = Candidate(id, id, 0, Proposal("genome", operator="mutation"))
        metrics = {"valid_error": rng.random(), "parameters": float(rng.randrange(10**6))}
        failure = Failure("oom", "no\nmemory") if id % 5 == 4 else None
        result = Result(id, "failed" if failure else "ok", {} if failure else metrics, error=failure, seconds=1.0)
        progress.count(candidate, result)
        progress.take(candidate, result, lambda: "g" * 200)
    return progress


@pytest.fixture
def drawn(stage: Stage) -> Callable[[Progress, int, int], list[str]]:
    def draw(progress: Progress, columns: int, lines: int) -> list[str]:
        stage.resize(columns)
        stage.live(lambda c, _: panel(progress, c, lines)).refresh()
        return stage.look()

    return draw


@pytest.mark.parametrize("columns", [30, WIDTH, 80, 120])
@pytest.mark.parametrize("lines", [HEIGHT, 30])
def test_the_board_fits_and_shows_what_it_knows(
    columns: int, lines: int, drawn: Callable[[Progress, int, int], list[str]]
) -> None:
    progress = results(60)
    progress.in_flight, progress.figures = [[60], [61, 62, 63]], {"generation": 7, "hypervolume": 0.8125, "best": 1}
    shown = drawn(progress, columns, lines)
    assert len(shown) < lines and all(len(line) <= columns for line in shown)
    text = "\n".join(shown)
    if columns >= WIDTH:
        for words in ("60/100", "elapsed 0:01:15", "in flight (4): 60 | 61-63", "step 3  generation 7"):
            assert words in text
        assert "hypervolume 0.8125" in text and "12 failed" in text and "left 0:00:20" in text
        assert f"best valid_error so far: {progress.best_value():.4g}" in text
        assert [line.split()[1:3] for line in shown if "last" in line] == [["last", "59"]]
        assert r"\x1b[2J <b>" in text
    if columns >= 80:
        assert re.search(r"candidate \d+\)  [▁▂▃▄▅▆▇█]{8,}", text)


def test_a_board_before_there_is_anything(drawn: Callable[[Progress, int, int], list[str]], stage: Stage) -> None:
    text = "\n".join(drawn(Progress("run", OBJECTIVES, (), None), 80, 30))
    assert "best valid_error so far: no result yet" in text and "in flight: none" in text
    stage.live(lambda c, _: waiting(3.0, c)).refresh()
    assert any("starting workers ... 3 s" in line for line in stage.look())


def test_the_course_of_the_best_stays_short() -> None:
    best = BestSoFar()
    best.add(None)
    for value in range(100_000, 0, -1):
        best.add(float(value))
    assert len(best.values) < 256 and best.last == 1.0
    assert best.values == sorted(best.values, reverse=True) and best.values[0] > 99_000


def test_durations() -> None:
    expected = {0: "0:00:00", 59.9: "0:00:59", 61: "0:01:01", 3600: "1:00:00", 360_000: "100:00:00"}
    assert {seconds: duration(seconds) for seconds in expected} == expected


def test_figures_of_the_pace_stand_whole_or_not_at_all() -> None:
    words = ["5,000 candidates an hour", "1.4 s each", "93% of it training"]
    assert fitting(words, 80) == "5,000 candidates an hour  1.4 s each  93% of it training"
    assert fitting(words, 40) == "5,000 candidates an hour  1.4 s each" and fitting(words, 3) == words[0]
    assert fitting([], 80) == ""
