"""evonas from Python: light to import, usable in any thread and any script, with the errors of the command line."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import evonas_cli as evonas
from evonas_cli.cli.app import run as command
from evonas_cli.core.errors import RunError, UsageError

BITS = ("space=bits", "job=landscape", "strategy=genetic", "strategy.population_size=10", "evaluator=serial")


def search(folder: Path, *more: str, **given: Any) -> evonas.Run:
    return evonas.search(*BITS, "budget.evaluations=40", *more, **{"run_dir": folder / "run", "quiet": True, **given})


def test_importing_is_light() -> None:
    code = (
        "import sys, evonas_cli as evonas\n"
        "assert {'search', 'open', 'Run'} <= set(dir(evonas))\n"
        "heavy = {'torch', 'pandas', 'numpy', 'hydra', 'omegaconf', 'scipy', 'rich', 'typer'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert evonas.search.__module__ == evonas.Run.__module__ == 'evonas_cli.api'\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="module 'evonas_cli' has no attribute 'serach'"):
        evonas.serach  # type: ignore[attr-defined]  # noqa: B018


def test_a_search_is_that_of_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = search(tmp_path)
    assert command(["search", *BITS, "budget.evaluations=40", "--run-dir", str(tmp_path / "other"), "--quiet"]) == 0
    other = evonas.open(tmp_path / "other")
    assert run.state == other.state == "done" and run.path == tmp_path / "run"
    assert repr(run) == f"<Run {run.path}: done, 40 evaluations>"
    same = run.frame().drop(columns="seconds")
    assert same.equals(other.frame().drop(columns="seconds")) and run.front().drop(columns="seconds").equals(
        other.front().drop(columns="seconds")
    )
    capsys.readouterr()
    assert command(["verify", str(run.path)]) == 0


def test_what_a_run_tells(tmp_path: Path) -> None:
    run = search(tmp_path)
    frame, best = run.frame(), run.best()
    assert list(frame.id) == list(range(40)) and list(run.front().id)[0] == best["id"]
    assert frame.valid_error.min() == best["metrics"]["valid_error"] and "crc" not in best
    row = frame.iloc[best["id"]]
    assert row[["failure"]].isna().all() and row.operator == best["operator"] and row.parents == tuple(best["parents"])
    line = run.lineage(best["id"])
    assert line[0][1] == "sample" and line[-1] == (best["id"], best["operator"])
    for (parent, _), (child, _) in zip(line, line[1:], strict=False):
        assert parent in run.candidate(child)["parents"]
    assert run.curves(0).empty
    with pytest.raises(RunError, match=r"has no candidate 40; it has 40, from id 0 on"):
        run.candidate(40)
    with pytest.raises(RunError, match=r"has no weights of candidate 0"):
        run.network(0)


def test_methods_leave_no_file_open(tmp_path: Path) -> None:
    run = search(tmp_path)
    gc.collect()  # closes journals that other tests have left
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        again = evonas.open(run.path)
        again.frame(), again.front(), again.best(), again.curves(3), again.lineage(3)
    assert len(os.listdir("/proc/self/fd")) == before


def test_errors_are_those_of_the_command_line(tmp_path: Path) -> None:
    search(tmp_path)
    with pytest.raises(UsageError, match="exists and is not empty"):
        search(tmp_path)
    with pytest.raises(UsageError, match="there is no strategy 'genetik'"):
        evonas.search("strategy=genetik", outputs=tmp_path)
    with pytest.raises(UsageError, match="is no folder"):
        search(tmp_path / "new", config_dir=tmp_path / "missing")
    with pytest.raises(RunError, match="no run 'nothing'"):
        evonas.open("nothing", outputs=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_lines_are_printed_unless_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    search(tmp_path, quiet=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 40 and lines[-1].startswith("40/40  candidate 39  valid_error 0.")


def test_an_interrupted_search_can_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(text: str) -> None:
        if text.startswith("13/"):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("builtins.print", interrupt)
        search(tmp_path, quiet=False)
    stopped = evonas.open(tmp_path / "run")
    assert stopped.state == "interrupted" and 13 <= len(stopped.frame()) < 40
    assert command(["resume", str(stopped.path), "--quiet"]) == 0
    assert stopped.state == "done" and len(stopped.frame()) == 40
    whole = search(tmp_path / "whole")
    assert whole.frame().drop(columns="seconds").equals(stopped.frame().drop(columns="seconds"))


def test_a_pool_works_in_a_thread_and_in_a_script_without_a_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import threading, evonas_cli as evonas\n"
        "print('once')\n"
        "def go():\n"
        "    evonas.search('space=bits', 'job=landscape', 'strategy=random', 'budget.evaluations=6',\n"
        "                  'evaluator=pool', 'evaluator.workers=2', run_dir='run', quiet=True)\n"
        "thread = threading.Thread(target=go)\n"
        "thread.start()\n"
        "thread.join()\n"
        "print(evonas.open('run').state)\n"
    )
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "once\ndone\n", "")


def test_one_folder_or_several(tmp_path: Path) -> None:
    (tmp_path / "conf/strategy").mkdir(parents=True)
    (tmp_path / "conf/strategy/mine.yaml").write_text("_target_: evonas_cli.strategies.random.RandomSearch\nbatch: 3\n")
    words = ("space=bits", "job=landscape", "strategy=mine", "budget.evaluations=6", "evaluator=serial")
    for name, folders in (("a", tmp_path / "conf"), ("b", [str(tmp_path / "conf")])):
        run = evonas.search(*words, config_dir=folders, run_dir=tmp_path / name, quiet=True)
        assert list(run.frame().step) == [0, 0, 0, 1, 1, 1]
