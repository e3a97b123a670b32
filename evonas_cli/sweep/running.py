"""Running the children of a sweep: processes of their own, so many at once, none of which outlives the sweep.

Linux only: the kernel kills a child when the sweep's process ends in whatever way (prctl PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.processes import command
from evonas_cli.store.lock import held
from evonas_cli.sweep.children import Child
from evonas_cli.sweep.folder import Manifest, SweepFolder

OVER = ("done", "failed", "skipped")
"""States of children that are not run any more."""
_PR_SET_PDEATHSIG = 1
_PATIENCE = 10.0  # seconds: a child of a killed sweep takes an instant to let go of its run
_PAUSE = 0.03
_library = ctypes.CDLL(None)

Process = subprocess.Popen[bytes]
Watch = Callable[[Child, int | None], None]
"""Called with a child and None when the child starts, and with the exit code when the child ends (negative: the signal
that killed the child)."""


@dataclass(frozen=True)
class Outcome:
    """The exit codes of the children that failed, in the order in which they ended, and how many never started."""

    failures: tuple[tuple[Child, int], ...]
    n_unstarted: int

    @property
    def exit_code(self) -> int:
        """0 when none failed, 4 when the machine made the first one fail and the sweep stopped there, else 1."""
        if not self.failures:
            return 0
        code = self.failures[0][1]
        machine = code == EnvironmentFailure.exit_code or code < 0
        return EnvironmentFailure.exit_code if machine and self.n_unstarted else 1


def run_children(
    sweep: SweepFolder,
    manifest: Manifest,
    jobs: int,
    keep_going: bool,
    watch: Watch,
    follow: Callable[[Collection[Child]], None] = lambda running: None,
    grace: float | None = None,
    waiting: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Runs every child that is neither over nor skipped, at most `jobs` at once.

    `follow` is called about 30 times a second with the children that are running. After a failure no further child
    starts, unless `keep_going`. What ends this early (Ctrl-C) is passed on once the children have stopped, each having
    recorded where it is; `waiting` is told how many there are, of which each gives its trainings `grace` seconds to
    reach an epoch's end (None: its default). Raises EnvironmentFailure where there is no Linux.
    """
    if sys.platform != "linux":
        raise EnvironmentFailure("a sweep ties its searches to itself by a call of Linux; here run them one by one")
    queue = deque(child for child in manifest.children if sweep.standing(child).state not in OVER)
    running: dict[Child, Process] = {}
    failures: list[tuple[Child, int]] = []
    try:
        while True:
            while queue and len(running) < jobs and (keep_going or not failures):
                child = queue.popleft()
                running[child] = _start(sweep, manifest, child, grace)
                watch(child, None)
            if not running:
                return Outcome(tuple(failures), len(queue))
            follow(running.keys())
            time.sleep(_PAUSE)
            for child, process in list(running.items()):
                code = process.poll()
                if code is not None:
                    del running[child]
                    failures += [(child, code)] if code != 0 else []
                    watch(child, code)
    finally:
        if running:
            waiting(len(running))
        _stop(list(running.values()))


def _start(sweep: SweepFolder, manifest: Manifest, child: Child, grace: float | None) -> Process:
    run = sweep.run(child)
    limit = time.monotonic() + _PATIENCE
    while held(run.lock) and time.monotonic() < limit:
        time.sleep(_PAUSE)
    parent = os.getpid()
    with sweep.log(child).open("ab") as log:
        return subprocess.Popen(
            _command(run.root, manifest, child, grace),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,  # Ctrl-C on the terminal reaches the sweep alone, which then stops its children
            preexec_fn=lambda: _die_with(parent),
        )


def _command(run: Path, manifest: Manifest, child: Child, grace: float | None) -> list[str]:
    """`evonas search ...`, which imports from the working directory if this process does."""
    words = [*command({"", os.getcwd()} & set(sys.path) != set()), "search"]
    words += ["--run-dir", str(run), "--resume", "auto", "--quiet"]
    if grace is not None:
        words += ["--grace", str(grace)]
    for folder in manifest.config_dirs:
        words += ["--config-dir", folder]
    for module in manifest.allowed_modules:
        words += ["--allow-module", module]
    return [*words, "--", *child.overrides]


def _die_with(parent: int) -> None:
    """In the child, before it becomes evonas: from now on it dies when its parent does, or at once if it has."""
    if _library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _stop(processes: Sequence[Process]) -> None:
    """Asks all to stop and waits until they have; a second interruption kills what is left."""
    try:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    except BaseException:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        for process in processes:
            process.wait()
        raise
