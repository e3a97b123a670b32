"""Commands of evonas in processes that are forked where everything is imported, which spares seconds for each."""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Protocol

from evonas_cli.core.processes import forking
from evonas_cli.torture.child import Fault, inject

PRELOADED = (
    *("torch", "sklearn.datasets", "hydra", "evonas_cli.cli.app", "evonas_cli.cli.search", "evonas_cli.cli.running"),
    *("evonas_cli.run.conduct", "evonas_cli.jobs.train", "evonas_cli.training.candidates.fitting"),
    *("evonas_cli.training.candidates.workbench", "evonas_cli.nn.layers", "evonas_cli.evaluation.serial"),
    *("evonas_cli.jobs.landscape", "evonas_cli.report.retrained", "pydantic.type_adapter", "moocore", "antlr4"),
)
"""What most searches import; a search imports the rest itself. Nothing here opens a device."""


class Started(Protocol):
    """A process under way, as `subprocess.Popen` has it."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """The exit code, minus the signal that ended it; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the exit code. Raises subprocess.TimeoutExpired."""

    def kill(self) -> None:
        """Sends SIGKILL to the process alone, if it runs."""


class Forked:
    """Such a process, of a server that has forked it."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self.returncode: int | None = None
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

    def kill(self) -> None:
        """Ends the process at once."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def forked(words: Sequence[str], said: Path = Path(os.devnull), faults: Sequence[Fault] = ()) -> Forked:
    """`evonas` with these words and faults, in a session of its own, with nothing to read.

    stdout goes into the file `said` with the suffix `.out`, stderr with `.err`; without `said` both go nowhere.
    """
    files = [said] * 2 if said == Path(os.devnull) else [said.with_suffix(suffix) for suffix in (".out", ".err")]
    context = forking(PRELOADED)
    process = context.Process(target=_run, args=(tuple(words), os.getcwd(), dict(os.environ), files, tuple(faults)))
    process.start()
    return Forked(process)


def _run(
    words: Sequence[str], folder: str, environment: Mapping[str, str], files: Sequence[Path], faults: Sequence[Fault]
) -> None:
    """What the forked process does: as a process that the caller had started itself, it ends in `sys.exit`."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    wanted = [(Path(os.devnull), os.O_RDONLY), *((path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for path in files)]
    for descriptor, (path, flags) in enumerate(wanted):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv = ["evonas", *words]
    for fault in faults:
        inject(fault)
    runpy.run_module("evonas_cli", run_name="__main__")  # as `python -m evonas_cli` does
