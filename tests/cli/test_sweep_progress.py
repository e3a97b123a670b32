"""How children of a sweep get on: a line at each quarter in a pipe, a table on a terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from screen import Terminal

from evonas_cli.cli.app import run
from evonas_cli.cli.sweep_progress import Quarters, Table, share_done
from evonas_cli.store.glance import Glance
from evonas_cli.sweep.children import Child
from evonas_cli.sweep.folder import SweepFolder

BUDGET = {"evaluations": 40.0, "seconds": None, "cost": None}
SEEN = Glance("running", 0, 0, ("valid_error", 0.25), 2.0, "", BUDGET)
CHILD = Child("000-seed-0", ("seed=0",))


@pytest.mark.parametrize(
    ("budget", "share"),
    [
        ({}, None),
        ({"evaluations": None, "seconds": None, "cost": None}, None),
        ({"evaluations": 40}, 0.25),
        ({"evaluations": 40, "seconds": 4}, 0.5),
        ({"seconds": 1.0}, 1.0),
        ({"cost": 10.0}, 0.7),
    ],
)
def test_the_limit_used_up_most_counts(budget: dict[str, float | None], share: float | None) -> None:
    assert share_done(replace(SEEN, told_of=10, budget=budget, cost=7.0)) == share


def test_a_line_at_each_quarter() -> None:
    said: list[str] = []
    quarters = Quarters(SweepFolder(Path("nothing")), said.append)
    for told in range(41):
        state = "done" if told == 40 else "running"
        quarters.tell(CHILD, replace(SEEN, told_of=told, state=state))
    assert said == [
        "000-seed-0 25 %  10/40  valid_error 0.25  2.0 s",
        "000-seed-0 50 %  20/40  valid_error 0.25  2.0 s",
        "000-seed-0 75 %  30/40  valid_error 0.25  2.0 s",
    ]
    quarters.tell(Child("001", ()), replace(SEEN, told_of=35, best=None))
    assert said[-1] == "001 75 %  35/40  -  2.0 s", "quarters that were passed unseen are not said"


@pytest.mark.parametrize("columns", [60, 120])
def test_the_table_of_running_children(columns: int, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "sweep-\x1b[2Jx").symlink_to(tmp_path / "made")
    folder = SweepFolder(tmp_path / "sweep-\x1b[2Jx")
    words = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=5", "--quiet")
    assert run([*words, "--run-dir", str(tmp_path / "made" / CHILD.name)]) == 0
    others = [Child(f"00{n}", ()) for n in range(1, 4)]
    table = Table(folder, [CHILD, *others], {others[0]: "done"})
    table([CHILD, others[1]])
    console = Console(file=io.StringIO(), width=columns)
    console.print(table.draw(columns, 20))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1 over, 2 running, 1 left" in text and "\x1b" not in text
    assert "5/5" in text and "valid_error 0." in text and "starting" in text and ("100%" in text) == (columns == 120)
    table.ended(CHILD, "done")
    assert list(table.over) == [others[0], CHILD]


def test_a_sweep_on_a_terminal(tmp_path: Path) -> None:
    words = ["sweep", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=30", "seed=0,1"]
    terminal = Terminal(tmp_path, [*words, "--name", "x"], {})
    assert terminal.end() == 0
    assert "evonas sweep x" in terminal.shown and "1 running" in terminal.shown and terminal.screen.cursor_shown
    lines = terminal.screen.lines()
    assert not any("╭" in line for line in lines), "the table is gone at the end"
    assert [line.split()[1:3] for line in lines[:4]] == [
        [f"00{n}-seed-{n}", word] for n in (0, 1) for word in ("starts", "done")
    ]
    assert lines[-1] == "outputs/sweep-x"
