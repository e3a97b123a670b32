"""Completion as people meet it: what `--install-completion` writes, in terminals of bash, zsh and fish, by the key Tab.

A shell that the machine does not have is skipped.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evonas_cli.cli import completion_scripts

START = {"bash": ["bash", "-i"], "zsh": ["zsh", "-i"], "fish": ["fish", "-i"]}
RUN = "2026-11-28/101112-random-bits"
LINES = {
    "verb": ("sea\t", "<search>"),
    "option": ("search --resu\t", "<search><--resume>"),
    "value of an option": ("search --resume a\t", "<search><--resume><auto>"),
    "key and number": ("search budget.ev\t7", "<search><budget.evaluations=7>"),
    "value": ("search space=chain_l\t", "<search><space=chain_landscape>"),
    "value, then a key": (
        "search space=chain_l\tbudget.ev\t7",
        "<search><space=chain_landscape><budget.evaluations=7>",
    ),
    "key of a part": (
        "search strategy=genetic strategy.pop\t9",
        "<search><strategy=genetic><strategy.population_size=9>",
    ),
    "run": ("show 1011\t", "<show><101112-random-bits>"),
    "run by its path": ("show 2026-11-28/1\t", f"<show><{RUN}>"),
}
"""What is typed after `evonas `, and the words that the command is then called with."""
SHIM = f"""#!/bin/sh
[ -n "$_EVONAS_LINE" ] && exec {sys.executable} -m evonas_cli
printf '<%s>' "$@" >got && mv got words
"""


class Terminal:
    """A shell in a terminal of its own; what it shows is read, so that it never waits."""

    def __init__(self, shell: str, folder: Path) -> None:
        self.folder, self.shown = folder, b""
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            own = {"HOME": str(folder), "PATH": f"{folder}:{os.environ['PATH']}", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
            own["PYTHONPATH"] = str(Path(__file__).parents[2])
            os.execvpe(START[shell][0], START[shell], own)

    def type(self, text: str) -> None:
        """Presses keys."""
        os.write(self.screen, text.encode())

    def read(self, seconds: float) -> None:
        """Reads what is shown until nothing more comes for so long."""
        while select.select([self.screen], [], [], seconds)[0]:
            try:
                self.shown += os.read(self.screen, 65536)
            except OSError:  # how Linux says that the other side is closed
                return

    def ready(self) -> None:
        """Waits until the shell has read its start files: it carries out a command."""
        self.type("touch star''ted\r")
        until = time.monotonic() + 60
        while not (self.folder / "started").exists() and time.monotonic() < until:
            self.read(0.05)
        assert (self.folder / "started").exists(), self.shown
        self.read(0.5)

    def words(self, typed: str) -> str:
        """The words that `evonas` is called with when this is typed behind it."""
        told = self.folder / "words"
        told.unlink(missing_ok=True)
        self.type(f"evonas {typed}\r")
        until = time.monotonic() + 60
        while not told.exists() and time.monotonic() < until:
            self.read(0.05)
        return told.read_text() if told.exists() else f"nothing was called; the screen: {self.shown.decode()!r}"

    def close(self) -> None:
        """Ends the shell."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.screen)


@pytest.fixture(scope="module", params=START)
def terminal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A shell with the script installed, in a folder with a run."""
    if shutil.which(request.param) is None:
        pytest.skip(f"there is no {request.param} here")
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "evonas").write_text(SHIM)
    (folder / "evonas").chmod(0o755)
    (folder / "outputs" / RUN).mkdir(parents=True)
    (folder / "outputs" / RUN / "run.json").write_text("{}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        completion_scripts.install(request.param)
    made = Terminal(request.param, folder)
    try:
        made.ready()
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("name", LINES)
def test_tab_completes(name: str, terminal: Terminal) -> None:
    typed, words = LINES[name]
    assert terminal.words(typed) == words
