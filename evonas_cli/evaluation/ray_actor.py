"""A worker in a Ray cluster: the loop of `worker.py` in a thread of an actor, whose methods carry its messages.

The actor is a plain class here, so that nothing imports Ray but who connects to a cluster (`ray_transport.py`).
"""

from __future__ import annotations

import os
import pickle
import platform
import socket
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path

import evonas_cli
from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.halting import Deadline
from evonas_cli.evaluation.transport import Broken
from evonas_cli.evaluation.worker import converse

ENDED = 1
"""The exit status of an actor whose loop has ended without a word, as by `sys.exit` in what it evaluates."""


def versions() -> dict[str, str]:
    """What has to be equal on all machines before anything is sent in pickled form."""
    results = f"results {evonas_cli.RESULTS}"
    return {"evonas": f"{evonas_cli.__version__} ({results})", "Python": platform.python_version()}


@dataclass(frozen=True)
class Home:
    """Where the coordinator is: its folder, its `sys.path`, its versions, and a file that every node has to see.

    `path` comes after the node's own. `token` is the file beside the run and what it holds; None where the run keeps no
    files.
    """

    folder: str
    path: tuple[str, ...]
    versions: dict[str, str]
    token: tuple[str, str] | None

    def missing(self) -> str | None:
        """What this machine lacks, in words; None where it lacks nothing. Enters the folder."""
        for name, version in versions().items():
            if version != self.versions[name]:
                return f"has {name} {version}, and the machine that searches has {self.versions[name]}"
        try:
            os.chdir(self.folder)
        except OSError as error:
            return f"cannot enter the folder {self.folder} in which the search was started ({error.strerror})"
        if self.token is None:
            return None
        path, content = self.token
        try:
            seen = Path(path).read_text(encoding="utf-8")
        except OSError:
            seen = None
        return None if seen == content else f"does not see the run's folder in {os.path.dirname(path)}"


class Slot:
    """One worker. All methods but `event` return at once; Ray runs them in threads beside the loop's."""

    def __init__(self, parcel: bytes, context: bytes, home: Home, gpus: float) -> None:
        if not gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the cluster has given it none; read when torch is loaded
        sys.path += [entry for entry in home.path if entry not in sys.path]
        self._host = socket.gethostname()
        self._ours, self._theirs = Pipe()
        threading.Thread(target=self._serve, args=(parcel, context, home), daemon=True).start()

    def _serve(self, parcel: bytes, context: bytes, home: Home) -> None:
        try:
            missing = home.missing()
            if missing is None:
                converse(self._theirs, parcel, pickle.loads(context), None, None)
            else:
                told = f"node {self._host} {missing}; every node needs the same installation and a shared folder"
                self._theirs.send(Broken(EnvironmentFailure, told))
        finally:
            self._theirs.close()

    def send(self, unit: bytes) -> None:
        """Hands over a pickled unit."""
        self._ours.send_bytes(unit)

    def limit(self, until: float, latest: float) -> None:
        """Hands over a deadline: seconds from now, since each machine has a clock of its own; they may be negative."""
        now = time.monotonic()
        self._ours.send(Deadline(now + until, now + latest))

    def event(self) -> tuple[str, bytes]:
        """Waits for what the worker tells next: the node's name and a pickled event."""
        try:
            return self._host, self._ours.recv_bytes()
        except EOFError:
            os._exit(ENDED)

    def end(self) -> None:
        """Ends the process at once: for a cluster that can kill no actor, since its head is lost."""
        os._exit(ENDED)
