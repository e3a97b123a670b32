"""What stands on a terminal after a search was stopped, and on terminals that have no room for the board."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from screen import Terminal

ENDLESS = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=9000000", "--run-dir", "run")
SHORT = (*ENDLESS[:4], "budget.evaluations=3", "--run-dir", "run")


def on_board(text: str) -> bool:
    return "best valid_error so far" in text and text.count("evaluations/s") > 2


@pytest.mark.parametrize("presses", [1, 3])
def test_ctrl_c_removes_the_board_and_says_what_was_done(presses: int, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, [*ENDLESS], {})
    terminal.wait_for(on_board)
    terminal.press(b"\x03" * presses)
    assert terminal.end() == 130
    done, pace, best, last = terminal.screen.lines()
    assert re.fullmatch(r"evonas: run: \d+ evaluations in [\d.]+ s", done) and " candidates an hour" in pace
    assert re.fullmatch(r"evonas: best valid_error so far: 0\.\d+ \(candidate [\d,]+\)", best)
    assert last == "evonas: stopped by Ctrl-C; what was recorded is safe, `evonas resume run` goes on"
    assert terminal.screen.cursor_shown


def test_ctrl_c_before_the_run(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, ["search", "evaluator.workers=1", "device=cpu", "--run-dir", "run"], {})
    terminal.wait_for(lambda text: "starting workers" in text)
    terminal.press(b"\x03")
    assert terminal.end() == 130 and terminal.screen.cursor_shown
    assert terminal.screen.lines() == ["evonas: stopped by Ctrl-C while starting; nothing has changed"]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"LINES": "12"}, {"COLUMNS": "40"}], ids=str)
def test_terminals_without_room_for_a_board_get_lines(environment: dict[str, str], tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, [*SHORT], environment)
    assert terminal.end() == 0 and "\x1b" not in terminal.shown
    assert "] 3/3  candidate 2  valid_error" in terminal.shown


def test_a_board_without_colours(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, [*SHORT], {"NO_COLOR": "1"})
    assert terminal.end() == 0 and "best valid_error so far" in terminal.shown
    assert not re.search(r"\x1b\[[0-9;]*3[0-9][;m]", terminal.shown)
    assert terminal.screen.lines()[0].startswith("evonas: run: 3 evaluations in ")
    assert terminal.screen.lines()[-1] == "run" and terminal.screen.cursor_shown


def test_names_are_no_markup(tmp_path: Path) -> None:
    name = "[red]x[-1] :smile: 👩"
    terminal = Terminal(tmp_path, [*SHORT[:-1], name], {})
    assert terminal.end() == 0 and f"evonas  {name}" in terminal.shown
    assert terminal.screen.lines()[-1] == name


def test_a_warning_of_a_worker_stands_above_the_board(tmp_path: Path) -> None:
    few = ("dataset=digits", "trainer.epochs=1", "strategy.population_size=2", "budget.evaluations=2")
    terminal = Terminal(tmp_path, ["search", *few, "evaluator.workers=1", "device=cpu", "--run-dir", "run"], {})
    assert terminal.end() == 0
    lines = terminal.screen.lines()
    assert lines[0].startswith("evonas: each training makes only 16 updates of the weights (1 epoch x 16 batches")
    assert not [line for line in lines if "starting workers" in line or line.startswith("╭")]
    assert lines[-1] == "run"
