"""The connection to a Ray cluster: made quietly, with what the cluster has, and a look at whether its head is alive."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evonas_cli.core.blame import told
from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.evaluation.interrupts import HEEDED

NAMED = ("auto", "local")
CLIENT = "ray://"
REACHED = 5.0
"""Seconds within which a machine has to answer."""
FAREWELL = 1.0
"""Seconds for the last calls of a cluster without a head, which nobody answers."""
LOCAL_STORE = 128 << 20
"""Bytes of the object store of a local cluster: nothing but the job goes through it."""
TOKEN = (
    "all nodes and the machine that searches need the same token: copy ~/.ray/auth_token of the head, or set "
    "RAY_AUTH_TOKEN_PATH"
)


def check_installed() -> None:
    """Raises UsageError where Ray is missing."""
    if find_spec("ray") is None:
        raise UsageError(
            "evaluator=ray needs the package ray, which is not installed; pip install 'evonas[ray]', or pass "
            "evaluator=pool"
        )


def check_address(address: str) -> None:
    """Raises UsageError for what is no address."""
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if address not in NAMED and not (host and port.isdecimal()):
        raise UsageError(f"evaluator.address={address} is none; use auto, local, HOST:PORT or ray://HOST:PORT")


class Cluster:
    """A connection. `address` is auto (the cluster that this machine is a node of), local (one of this machine alone,
    which ends with the run), HOST:PORT or ray://HOST:PORT.

    Raises EnvironmentFailure where no cluster answers, or one that does not accept this machine's token. A connection
    that the process has already is used, and left open.
    """

    def __init__(self, address: str) -> None:
        self._named, self._client = address, address.startswith(CLIENT)
        if address not in NAMED and not _answers(address.removeprefix(CLIENT)):
            raise EnvironmentFailure(f"evaluator.address={address}: nothing answers there; is the head node running?")
        if address not in NAMED and _has_token():
            os.environ.setdefault("RAY_AUTH_MODE", "token")  # for an address that is named, Ray does not look for one
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read by Ray when it is loaded, and by processes that it starts
        with _handlers_kept():
            import ray

            self.ray: Any = ray
            self._ours = not ray.is_initialized()
            if self._ours:
                self._connect()
        self._looked, self.lost = time.monotonic(), False
        self.ending: list[Any] = []
        self._head = None if self._client else ray.get_runtime_context().gcs_address

    def _connect(self) -> None:
        settings: dict[str, Any] = {"address": self._named, "logging_level": logging.ERROR, "log_to_driver": False}
        if self._named == "local":
            settings |= {"include_dashboard": False, "object_store_memory": LOCAL_STORE}
        try:
            self.ray.init(**settings)
        except self.ray.exceptions.AuthenticationError as error:
            raise EnvironmentFailure(f"evaluator.address={self._named}: {TOKEN}") from error
        except ConnectionError as error:
            hint = "no Ray cluster runs here; start one with `ray start --head`, or pass evaluator.address=local"
            found = hint if self._named == "auto" else f"no Ray cluster there accepts this machine; {TOKEN}"
            raise EnvironmentFailure(f"evaluator.address={self._named}: {found}") from error
        except Exception as error:  # Ray raises many kinds, and tells them in several lines
            found = " ".join(told(error).split())[:200]
            raise EnvironmentFailure(f"evaluator.address={self._named}: Ray cannot connect ({found})") from error

    def check_room(self, workers: int, needs: Mapping[str, float]) -> None:
        """Raises EnvironmentFailure where so many workers never fit, each within a node; warns where they must wait."""
        nodes = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        fit = sum(_room(node, needs) for node in nodes)
        asked = " and ".join(f"{need:g} {name}" for name, need in needs.items())
        if fit < workers:
            has = "; ".join(", ".join(f"{node.get(name, 0):g} {name}" for name in ("CPU", "GPU")) for node in nodes)
            raise EnvironmentFailure(
                f"evaluator.workers={workers} with {asked} each do not fit: the Ray cluster has room for {fit} (nodes: "
                f"{has}); ask for fewer, or add nodes"
            )
        free = self.ray.available_resources()
        if _room(free, needs) < workers:
            logging.getLogger(__name__).warning(
                "the Ray cluster is busy: workers wait until %s are free for each of %d", asked, workers
            )

    def check_head(self) -> None:
        """Raises EnvironmentFailure when the head does not answer, and a second time not; looks every few seconds."""
        if self._head is None or time.monotonic() - self._looked < REACHED:
            return
        self.lost = not (_answers(self._head) or _answers(self._head))
        if self.lost:
            raise EnvironmentFailure(f"the head of the Ray cluster at {self._head} does not answer; resume the run")
        self._looked = time.monotonic()

    def close(self) -> None:
        """Ends the connection, and a local cluster; what is still to be told to workers is, in a second."""
        if self.ending:
            self.ray.wait(self.ending, num_returns=len(self.ending), timeout=FAREWELL)
        if self._ours:
            self.ray.shutdown()


def _room(has: Mapping[str, float], needs: Mapping[str, float]) -> int:
    """How many workers the resources are enough for."""
    return min(int(has.get(name, 0) / need + 1e-9) for name, need in needs.items())


def _has_token() -> bool:
    """Whether Ray would find a token of this user."""
    named = os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH")
    return bool(named) or (Path.home() / ".ray" / "auth_token").is_file()


def _answers(place: str) -> bool:
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), REACHED).close()
    except OSError:
        return False
    return True


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Handlers of signals that are set meanwhile, as Ray does, are set back."""
    before = {number: signal.getsignal(number) for number in HEEDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
