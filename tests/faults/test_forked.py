"""Forked processes of evonas are as those that a caller starts itself: folder, exit codes, words."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evonas_cli.torture.child import Fault
from evonas_cli.torture.processes import Processes
from evonas_cli.torture.row import Differs

SEARCH = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=6", "tracker=none", "--quiet")
STARTS = """
from pathlib import Path
from evonas_cli.torture.warm import forked
process = forked(["--version"], Path("said"))
print(process.wait(60), Path("said.out").read_text(), Path("said.err").read_text())
"""


def test_the_words_and_the_code_are_those_of_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    processes = Processes(tmp_path, patience=60.0)
    done = processes.ended(processes.fork([*SEARCH, "--run-dir", "here"]))
    assert done.code == 0 and done.out.splitlines()[-1] == "here" and (tmp_path / "here" / "journal.jsonl").exists()
    done = processes.ended(processes.fork(["search", "nonsense"]))
    assert done.code == 2 and len(done.said) == 1
    processes.close()


def test_a_fault_concerns_one_process(tmp_path: Path) -> None:
    processes, run = Processes(tmp_path, patience=60.0), str(tmp_path / "run")
    faults = [Fault("write", "journal.jsonl", "half", 3)]
    assert processes.ended(processes.fork([*SEARCH, "--run-dir", run], faults)).code == -signal.SIGKILL
    processes.ended(processes.fork(["resume", run, "--quiet"])).check()


def test_one_that_hangs_is_ended(tmp_path: Path) -> None:
    processes = Processes(tmp_path, patience=0.2)
    process = processes.fork([*SEARCH, "--run-dir", str(tmp_path / "run")], [Fault("write", "", "stop", times=0)])
    with pytest.raises(Differs, match="did not end within 0 s"):
        processes.ended(process)
    assert process.poll() == -signal.SIGKILL


def test_nothing_of_the_current_folder_is_imported(tmp_path: Path) -> None:
    """Neither a module there with the name of a standard one, nor the script that forks."""
    (tmp_path / "signal.py").write_text("raise SystemExit('mine')\n")
    (tmp_path / "script").mkdir()
    script = tmp_path / "script" / "starts.py"
    script.write_text(STARTS)
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith("0 evonas ") and not done.stderr
