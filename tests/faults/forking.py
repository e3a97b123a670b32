"""Commands of evonas in processes that are forked where everything is imported, which spares seconds for each."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from typing import Protocol

PRELOADED = (
    *("torch", "sklearn.datasets", "hydra", "evonas_cli.cli.app", "evonas_cli.cli.search", "evonas_cli.cli.running"),
    *("evonas_cli.run.conduct", "evonas_cli.jobs.train", "evonas_cli.training.candidates.fitting"),
    *("evonas_cli.training.candidates.workbench", "evonas_cli.nn.layers", "evonas_cli.evaluation.serial"),
)


class Started(Protocol):
    """A process under way, as `subprocess.Popen` has it."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """The exit code, minus the signal that ended it; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the exit code. Raises subprocess.TimeoutExpired."""


class Forked:
    """Such a process, of a server that has forked it."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process, self.returncode = process, None
        assert process.pid is not None
        self.pid: int = process.pid

    def poll(self) -> int | None:
        """The exit code, if it has ended."""
        self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the exit code."""
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("evonas", timeout or 0.0)
        return code


def forked(words: Sequence[str]) -> Forked:
    """`evonas` with these words, without anything to read from or write to."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    process = context.Process(target=_run, args=(tuple(words),))
    process.start()
    return Forked(process)


def _run(words: Sequence[str]) -> None:
    from evonas_cli import __main__

    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    sys.argv = ["evonas", *words]
    __main__.main()
