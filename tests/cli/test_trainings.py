"""What a search shows of trainings that are under way: on its board, and in lines where there is no terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from screen import Terminal

from evonas_cli.cli import narrate
from evonas_cli.cli.narrate import Lines
from evonas_cli.cli.panel import HEIGHT, WIDTH, panel
from evonas_cli.cli.progress import Progress
from evonas_cli.cli.trainings import in_words
from evonas_cli.core.types import Candidate, Objective, Proposal, Result, Training
from evonas_cli.run.assembly import Parts

OBJECTIVES = ("valid_error", "parameters")
PACE = {"candidates_per_hour": 2.0, "device_seconds_per_candidate": 1.0, "share_training": 0.9, "idle_share": 0.5}
STACK = Training(tuple(range(20)), 3, 8, 0.335, {"train_loss": 0.25, "valid_error": 0.0625})


@pytest.mark.parametrize(
    ("trainings", "words"),
    [
        ([], ""),
        ([STACK], "training 0-19: epoch 3 of 8 (34 %), best valid_error 0.0625"),
        ([Training((7,), 1, 8)], "training 7: epoch 1 of 8"),
        ([Training((7, 9), 1, 8)], "training 7 9: epoch 1 of 8"),
        ([Training((7, 9, 10), 2, 8, values={"train_loss": 0.5})],
         "training 7 and 2 more: epoch 2 of 8, best train_loss 0.5"),
        ([Training((7,), 2, 8, values={"train_loss": 0.5, "valid_loss": 0.25})],
         "training 7: epoch 2 of 8, valid_loss 0.25"),
        ([Training((id,), id, 8) for id in range(1, 6)], "training 1: epoch 1 of 8; 2: epoch 2 of 8; 3 more"),
    ],
)  # fmt: skip
def test_words(trainings: list[Training], words: str) -> None:
    assert in_words(trainings, OBJECTIVES) == words


class Clock:
    """Stands for the time of the lines."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def strftime(self, form: str) -> str:
        return "12:00:00"


def test_lines_tell_of_trainings_where_nothing_else_is_said(
    compose_parts: Callable[..., Parts], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, trainings = Clock(), [STACK]
    monkeypatch.setattr(narrate, "time", clock)
    lines = Lines(compose_parts("space=bits", "job=landscape", "strategy=random", "budget.evaluations=40"))
    lines.follow(lambda: trainings)

    def said(seconds: int, results: bool = False) -> list[str]:
        for _ in range(seconds):
            clock.now += 1.0
            if results:
                result = Result(0, "ok", {"valid_error": 0.5})
                lines.result(Candidate(0, 0, 0, Proposal("g")), result)
            lines.beat()
        return [line.partition("] ")[2] for line in capsys.readouterr().err.splitlines()]

    words = "training 0-19: epoch 3 of 8 (34 %), best valid_error 0.0625"
    assert said(9) == [] and said(1) == [words]
    assert said(54) == [] and said(1) == ["0 evaluations done, working"], "nothing new is known"
    trainings[:] = [Training((4,), 1, 8)]
    assert said(9) == [] and said(1) == ["training 4: epoch 1 of 8"]
    trainings[:] = [Training((4,), 2, 8)]
    assert all("candidate 0" in line for line in said(30, results=True)), "results flow"
    trainings.clear()
    assert said(54) == [] and said(1) == ["30 evaluations done, working"]


def board(progress: Progress, columns: int, lines: int) -> list[str]:
    console = Console(width=columns, color_system=None)
    with console.capture() as captured:
        console.print(panel(progress, columns, lines))
    return [line.strip("│ \n") for line in captured.get().splitlines()]


@pytest.mark.parametrize("lines", [HEIGHT, 24, 30, 50])
@pytest.mark.parametrize("columns", [WIDTH - 6, 80, 120])
@pytest.mark.parametrize("count", [1, 3, 64])
def test_the_board_has_a_line_for_each_training_as_far_as_there_is_room(count: int, columns: int, lines: int) -> None:
    objectives = (Objective("valid_error", "min"), Objective("parameters", "min"))
    progress = Progress("run", objectives, (), 500, pace=PACE)
    for id in range(30):
        asked = Candidate(id, id, 0, Proposal("genome", operator="mutation"))
        result = Result(id, "ok", {"valid_error": 0.5 - id / 100, "parameters": 100.0 + id})
        progress.count(asked, result)
        progress.take(asked, result, lambda: "genome")
    progress.trainings = [Training((100 + id,), id % 9 + 1, 100, 0.5, {"valid_error": 0.5}) for id in range(count)]
    shown = board(progress, columns, lines)
    assert len(shown) < lines
    rows = [line for line in shown if "epoch" in line]
    assert rows[0].split() == ["training", "100", "epoch", "1/100", "(50", "%)", "valid_error", "0.5"]
    assert len({row.index("epoch") - len(row) for row in rows if row.endswith("0.5")}) == 1
    hidden = count - len(rows)
    assert (f"{hidden} more" in shown) is (hidden > 0) and (count > 2 or not hidden)
    assert sum("genome" in line for line in shown) >= 2 and any(line.startswith("last  29") for line in shown)


def test_a_board_shows_a_sign_of_learning_before_the_first_result(tmp_path: Path) -> None:
    small = ("space=chain_cnn", "space.layers=2", "space.filters=[2]", "dataset.limit=100", "device=cpu")
    words = ("search", *small, "strategy=random", "trainer.epochs=400000", "evaluator.workers=1", "--run-dir", "run")
    terminal = Terminal(tmp_path, [*words], {})
    terminal.wait_for(lambda text: re.search(r"training  \d+  epoch \d+/400000.*  valid_error 0\.", text) is not None)
    assert "best valid_error so far: no result yet" in terminal.shown
    terminal.press(b"\x03")
    assert terminal.end() == 130 and terminal.screen.cursor_shown
    assert (tmp_path / "run/journal.jsonl").read_bytes() == b""
