"""Candidates that print, warn and write to descriptors: the board stays whole, logs have what Python printed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from screen import Screen, Terminal

from evonas_cli.evaluation.printed import LOG

MODULE = """
import os
import sys
import time
import warnings

from evonas_cli.core.types import Metric, Result


class Noisy:
    needs = ()
    metrics = {"error": Metric("min")}

    def __init__(self, space) -> None:
        self.space = space

    def open(self, place):
        os.write(1, b"opened\\n")
        return self

    def environment(self):
        return {}

    def evaluate(self, unit, context):
        for candidate in unit.candidates:
            print(f"printed {candidate.id}")
            print(f"moved\\rback {candidate.id}", file=sys.stderr)
            warnings.warn(f"warned {candidate.id}")
            os.write(1, b"\\x1b[2Jlow %d\\n" % candidate.id)
            os.write(2, b"half " * 40)
            time.sleep(0.3)
            os.write(2, b"whole %d\\n" % candidate.id)
            yield Result(candidate.id, "ok", {"error": 1.0 / (1 + candidate.id)})
"""
ENTRY = "_target_: noisy.Noisy\n_objectives_: [error]\n"
WORDS = ("space=bits", "job=noisy", "strategy=random", "budget.evaluations=4", "device=cpu", "--run-dir", "run")
PARTS = ("--config-dir", "conf", "--allow-module", "noisy")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "noisy.py").write_text(MODULE)
    (tmp_path / "conf" / "job").mkdir(parents=True)
    (tmp_path / "conf" / "job" / "noisy.yaml").write_text(ENTRY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(text: str) -> list[str]:
    """What stands on the screen; fails where anything but a board's own sequences reached the terminal."""
    screen = Screen()
    screen.write(text)
    return screen.lines()


@pytest.mark.parametrize("evaluator", [("evaluator=serial",), ("evaluator=pool", "evaluator.workers=1")], ids=str)
def test_what_candidates_write_stands_above_the_board(evaluator: tuple[str, ...], home: Path) -> None:
    terminal = Terminal(home, ["search", *WORDS, *evaluator, *PARTS], {"PYTHONPATH": path(home)})
    terminal.wait_for(lambda text: "whole 1" in text)
    assert terminal.end() == 0
    assert terminal.shown.count("best error so far") > 4, "a board was drawn"
    lines = terminal.screen.lines()
    text = "\n".join(lines)
    assert lines[-1] == "run" and terminal.screen.cursor_shown and "╭" not in text and "│" not in text
    for id in range(4):
        for words in (f"printed {id}", f"back {id}", rf"\x1b[2Jlow {id}"):
            assert lines.count(words) == 1, words
        for words in (f"whole {id}", f"UserWarning: warned {id}"):  # on lines that the terminal wraps at any place
            assert "".join(words.split()) in "".join(text.split()), words
    assert lines.count("opened") >= 1 and "moved" not in text
    log = (home / "run" / "candidates" / "2" / LOG).read_text()
    assert log.startswith("printed 2\n") and "UserWarning: warned 2" in log and "printed 1" not in log


def test_a_board_in_the_midst_of_the_noise_is_whole(home: Path) -> None:
    terminal = Terminal(home, ["search", *WORDS, "evaluator=serial", *PARTS], {"PYTHONPATH": path(home)})
    frames = 0
    terminal.wait_for(lambda text: "whole 1" in text)
    assert terminal.end() == 0
    for end in [place for place in range(len(terminal.shown)) if terminal.shown.startswith("╯", place)]:
        lines = shown(terminal.shown[: end + 1])
        [top] = [number for number, line in enumerate(lines) if line.startswith("╭")]
        assert lines[-1].startswith("╰") and all(line[0] == line[-1] == "│" for line in lines[top + 1 : -1])
        frames += 1
    assert frames > 4


def test_what_is_no_terminal_is_left_alone(home: Path) -> None:
    """With stdout in a file the words stay there, and stderr's stand above the board."""
    inner = "import os, sys; os.dup2(os.open('out.txt', os.O_WRONLY | os.O_CREAT), 1); "
    inner += "from evonas_cli.__main__ import main; main()"
    (home / "start.py").write_text(inner)
    terminal = Terminal(
        home, ["search", *WORDS, "evaluator=serial", *PARTS], {"PYTHONPATH": path(home)}, (str(home / "start.py"),)
    )
    assert terminal.end() == 0
    out = (home / "out.txt").read_text()
    assert "printed 3\n" in out and out.endswith("run\n")
    lines = terminal.screen.lines()
    assert lines.count("back 3") == 1 and not [line for line in lines if "printed" in line or "low" in line]


def path(home: Path) -> str:
    return os.pathsep.join([str(home), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
