"""Processes that import nothing from the current folder before evonas has set their path.

Python looks first in the current folder when it starts a process with `-c`, as multiprocessing does, or when PYTHONPATH
names that folder. A `signal.py` of the user would then take the place of the standard library's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext, ForkServerProcess, SpawnContext, SpawnProcess
from types import ModuleType

_NAMES = ("PYTHONSAFEPATH", "PYTHONPATH")


class Process(SpawnProcess):
    """A spawned process. Once it runs it has the environment of its parent and the parent's `sys.path`."""

    def start(self) -> None:
        """Starts the process. Raises OSError where the machine has no room for it."""
        self._variables = _variables()
        with _shielded(), _without_main():
            super().start()

    def run(self) -> None:
        """Runs the target; called in the process itself."""
        _set(self._variables)
        super().run()


class _Spawning(SpawnContext):
    Process = Process


def spawning() -> SpawnContext:
    """The multiprocessing context to start processes with. Starts the process that tracks their semaphores."""
    with _shielded():
        resource_tracker.ensure_running()
    return _Spawning()


class Fork(ForkServerProcess):
    """A process that a server has forked."""

    def start(self) -> None:
        """Starts the process."""
        with _without_main():
            super().start()


class _Forking(ForkServerContext):
    Process = Fork


def forking(modules: Sequence[str]) -> ForkServerContext:
    """The multiprocessing context whose processes are forked by a server that has imported the modules.

    The server finds modules where this process finds them, and not in the current folder first. The server is started
    by the first call and ends with this process. A module that is missing is left out.
    """
    context = _Forking()
    context.set_forkserver_preload(list(modules))
    with _shielded(os.pathsep.join(filter(None, sys.path))), _without_main():
        forkserver.ensure_running()
    return context


def command(here: bool) -> list[str]:
    """The words that start `evonas`; `here`: it may import from the current folder, after everything else.

    `python -m` would import modules of its own from there before evonas is asked.
    """
    return [sys.executable, *([] if here else ["-P"]), "-c", "from evonas_cli.__main__ import main; main()"]


@contextmanager
def _shielded(path: str | None = None) -> Iterator[None]:
    """Processes that are started meanwhile do not import from the current folder, or import from `path`."""
    before = _variables()
    _set({"PYTHONSAFEPATH": "1", "PYTHONPATH": path or _elsewhere(before["PYTHONPATH"] or "") or None})
    try:
        yield
    finally:
        _set(before)


@contextmanager
def _without_main() -> Iterator[None]:
    """Processes that are started meanwhile do not import the main module of this one.

    Nothing that is sent to them is defined there. A script of the user that starts a search would start the search
    again in each of them.
    """
    before = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = before


def _elsewhere(path: str) -> str:
    """A search path without its entries for the current folder, of which an empty entry is one."""
    try:
        here = os.path.realpath(os.curdir)
    except FileNotFoundError:  # the folder was deleted, so nothing can be imported from it
        return path
    return os.pathsep.join([entry for entry in path.split(os.pathsep) if os.path.realpath(entry) != here])


def _variables() -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in _NAMES}


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
