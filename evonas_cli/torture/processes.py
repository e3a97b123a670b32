"""Processes of evonas under torture, all of which are gone in the end, and what each of them wrote."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evonas_cli.core.processes import command
from evonas_cli.torture import child
from evonas_cli.torture.row import Differs
from evonas_cli.torture.warm import Started, forked


@dataclass(frozen=True)
class Done:
    """A process that has ended: its exit code (minus the signal that ended it) and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> list[str]:
        """The lines of stderr but for the narration and warnings."""
        return [line for line in self.err.splitlines() if line.startswith("evonas: ")]

    def check(self, *codes: int) -> None:
        """Raises Differs unless the process ended with one of the codes (0 or 1, which means without a front)."""
        if self.code not in (codes or (0, 1)):
            raise Differs(f"exit {self.code}: {(self.said or self.err.splitlines() or ['no line'])[-1]}")


def heed_interrupts() -> None:
    """A Ctrl-C counts for this process and for those that it starts from now on, where a script has begun it in the
    background and so made it ignore one: rows send it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Processes:
    """Processes whose output goes into files of a folder.

    Each is in a session of its own, so that a Ctrl-C of the user's stops it through `close` alone. A process that has
    not ended `patience` seconds after one waits for it is taken for one that hangs.
    """

    def __init__(self, folder: Path, patience: float) -> None:
        self.patience, self._folder = patience, folder
        self._said: dict[Started, Path] = {}
        self._numbers = itertools.count()

    def fork(self, words: Sequence[str], faults: Sequence[child.Fault] = ()) -> Started:
        """A forked process of evonas with the words; `faults` are injected into it."""
        said = self._files()
        for suffix in (".out", ".err"):  # there even if the process dies before it opens them
            said.with_suffix(suffix).touch()
        return self._under_way(forked(words, said, faults), said)

    def launch(
        self, words: Sequence[str], environment: Mapping[str, str] | None = None, faults: Sequence[child.Fault] = ()
    ) -> Started:
        """A process of evonas that imports all for itself."""
        return self.spawn([*(child.command(faults) if faults else command(here=True)), *words], environment)

    def spawn(self, words: Sequence[str], environment: Mapping[str, str] | None = None) -> Started:
        """A process of any program."""
        said = self._files()
        with said.with_suffix(".out").open("wb") as out, said.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(
                words, stdout=out, stderr=err, start_new_session=True, env={**os.environ, **(environment or {})}
            )
        return self._under_way(process, said)

    def ended(self, process: Started) -> Done:
        """Waits for the end of the process. Raises Differs where it does not end."""
        said = self._said[process]
        try:
            code = process.wait(self.patience)
        except subprocess.TimeoutExpired:
            raise Differs(f"did not end within {self.patience:.0f} s") from None
        finally:
            self.kill(process)
        return Done(code, *(said.with_suffix(to).read_text(errors="replace") for to in (".out", ".err")))

    def kill(self, process: Started) -> None:
        """Ends the process and what it has started, if it is there."""
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()  # a forked one that has no session yet
            process.wait()
        self._said.pop(process, None)

    def close(self) -> None:
        """Ends all processes."""
        for process in list(self._said):
            self.kill(process)

    def _files(self) -> Path:
        return self._folder / f"said-{next(self._numbers)}"

    def _under_way(self, process: Started, said: Path) -> Started:
        self._said[process] = said
        return process
