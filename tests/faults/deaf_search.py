"""A search whose third candidate asks nobody whether to stop, and sleeps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

MODULE = """
import os
import time

from evonas_cli.core.types import Metric, Result


class Deaf:
    needs = ()
    metrics = {"zeros": Metric("min")}

    def open(self, place):
        return self

    def environment(self):
        return {}

    def evaluate(self, unit, context):
        for candidate in unit.candidates:
            if candidate.id == 2 and not os.path.exists("free"):
                open("begun", "w").close()
                time.sleep(300)
            genome = candidate.proposal.genome
            yield Result(candidate.id, "ok", {"zeros": 1 - sum(genome) / len(genome)})
"""
OWN = ("--allow-module", "deaf")
SEARCH = ("--config-dir", "conf", "space=bits", "job=deaf", "strategy=random", "budget.evaluations=6", "--quiet")


def written(tmp_path: Path) -> Path:
    """The folder, with the job whose third candidate takes five minutes unless there is a file `free`."""
    (tmp_path / "conf" / "job").mkdir(parents=True)
    (tmp_path / "conf/job/deaf.yaml").write_text("_target_: deaf.Deaf\n_objectives_: [zeros]\n")
    (tmp_path / "deaf.py").write_text(MODULE)
    return tmp_path


def _quits() -> None:
    """SIGQUIT ends the process, even where the tests run in a script's background and ignore it."""
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A command of evonas there."""
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[2])])
    return subprocess.Popen(
        [sys.executable, "-m", "evonas_cli", *words, *OWN],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_quits,
    )


def begun(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A search in the midst of that candidate."""
    process = started(folder, "search", *SEARCH, *words, "--run-dir", "run")
    while not (folder / "begun").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process
