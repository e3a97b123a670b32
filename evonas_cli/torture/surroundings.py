"""Rows that go on with a search in other surroundings: environment, clock, place of the folder, data on the disk."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from evonas_cli.store.directory import RunDirectory
from evonas_cli.torture.ground import Ground
from evonas_cli.torture.row import Row, holds, same

DAY = 86400.0
TABLE = ("space=mlp", "space.widths=[0,8]", "dataset=csv", "dataset.target=label", "trainer.epochs=1",
         "strategy=random", "device=cpu", "evaluator=serial", "seed=0")  # fmt: skip
"""A search on a table of the torture's own, whose file may be changed."""


def _environment(variables: Mapping[str, str], ground: Ground) -> str:
    return ground.resume(ground.half(), environment=variables)


def _clock(ground: Ground) -> str:
    """The clock of the machine is not touched: the run's files are a day in the future instead."""
    run = ground.half()
    for path in run.root.rglob("*"):
        os.utime(path, (time.time() + DAY,) * 2)
    return ground.resume(run)


def _moved(name: str, ground: Ground) -> str:
    run = ground.half()
    there = RunDirectory(run.root.with_name(f"{run.root.name} {name}"))
    run.root.rename(there.root)
    return ground.resume(there)


def _linked(ground: Ground) -> str:
    run = ground.half()
    link = run.root.with_name(f"{run.root.name}-link")
    link.symlink_to(run.root, target_is_directory=True)
    return ground.resume(RunDirectory(link))


def _steering(ground: Ground) -> str:
    """A line break in a word of the command line would forge lines of the narration."""
    run = ground.half()
    there = RunDirectory(run.root.with_name(f"{run.root.name}\nforged"))
    run.root.rename(there.root)
    done = ground.carry_out(there)
    same(done.code, 2, "exit code")
    holds(done.said and "control characters" in done.said[-1], f"other words: {done.said[-1:]}")
    there.root.rename(run.root)
    return f"refused in one line, {ground.resume(run)} once it is renamed"


def _changed(ground: Ground) -> str:
    table = ground.free().root.with_suffix(".csv")
    _write(table, 0)
    run, words = ground.free(), [*TABLE, f"dataset.path={table}", "tracker=none", "--quiet", "--run-dir"]
    processes = ground.processes
    processes.ended(processes.fork(["search", *words, str(run.root), "budget.evaluations=2"])).check()
    _write(table, 1)
    done = processes.ended(processes.fork(["resume", str(run.root), "budget.evaluations=3", "--quiet"]))
    same(done.code, 3, "exit code")
    holds("data set" in done.said[-1], f"other words: {done.said[-1]}")
    _write(table, 0)
    processes.ended(processes.fork(["resume", str(run.root), "budget.evaluations=3", "--quiet"])).check()
    return "refused, resumed with the old data"


def _write(table: Path, change: int) -> None:
    rows = [f"{(7 * row) % 13 + (change if row == 5 else 0)},{(5 * row) % 11},{'ab'[row % 2]}" for row in range(60)]
    table.write_text("\n".join(["first,second,label", *rows]) + "\n")


_SAME = "same digest after a resume"
ROWS = (
    Row("hash seed", "PYTHONHASHSEED=4711", _SAME, partial(_environment, {"PYTHONHASHSEED": "4711"}), cold=0.9),
    Row(
        "locale",
        "LC_ALL=C, an encoding of ASCII",
        _SAME,
        partial(_environment, {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}),
        cold=0.9,
    ),
    Row("time zone", "TZ=Pacific/Kiritimati", _SAME, partial(_environment, {"TZ": "Pacific/Kiritimati"}), cold=0.9),
    Row("clock back", "all files of the run a day in the future", _SAME, _clock, 0.9),
    Row("folder moved", "the run renamed to `b  c'd`", _SAME, partial(_moved, "b  c'd"), 0.9),
    Row("other letters", "the run renamed to `größe-数据-🙂`", _SAME, partial(_moved, "größe-数据-🙂"), 0.9),
    Row("folder linked", "resumed through a symbolic link", _SAME, _linked, 0.9),
    Row(
        "line break",
        "the run renamed to a name of two lines",
        "refused in one line, exit 2; same digest later",
        _steering,
        1.2,
    ),
    Row("data changed", "a cell of a table changed on the disk", "refused in one line, exit 3", _changed, 3.0),
)
