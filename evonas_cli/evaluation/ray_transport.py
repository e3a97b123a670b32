"""Workers as actors of a Ray cluster, one a slot. Ray restarts none and repeats nothing: the pool does, as anywhere.

What a worker tells comes as the result of a call of `Slot.event`, of which each worker has one under way at any time.
"""

from __future__ import annotations

import os
import pickle
import re
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.evaluating import Context
from evonas_cli.core.halting import Deadline
from evonas_cli.core.types import Json, Unit
from evonas_cli.evaluation.ray_actor import Home, Slot, versions
from evonas_cli.evaluation.ray_cluster import REACHED, Cluster
from evonas_cli.evaluation.transport import Broken, Died, Event, Ready, Worker

METHODS = 3
"""Calls that an actor runs at once: one waits for an event, one may hand over a unit, one a deadline."""
GONE = 30.0
"""Seconds to wait for the end of an actor that was told to end; a node that is cut off may need longer."""
SAME = ("data", "torch")
"""What of the environment has to be the same on all nodes, since each worker prepares its own data."""


class RayWorker:
    """An actor, and the call that waits for what it tells next."""

    def __init__(self, cluster: Cluster, actor: Any) -> None:
        self._cluster, self._actor = cluster, actor
        self.host = "?"
        self.pending = actor.event.remote()

    def send(self, unit: Unit[Any]) -> None:
        """As Worker.send."""
        self._actor.send.remote(pickle.dumps(unit))

    def limit(self, deadline: Deadline) -> None:
        """As Worker.limit."""
        now = time.monotonic()
        self._actor.limit.remote(deadline.until - now, deadline.latest - now)

    def event(self) -> Event:
        """What has come, once `pending` is done."""
        ray = self._cluster.ray
        try:
            self.host, told = ray.get(self.pending)
        except ray.exceptions.RayActorError as error:
            return Died(f"was killed (node {self.host}{_reason(str(error))})")
        except ray.exceptions.RayError as error:
            line = str(error).strip().splitlines()[-1]
            return Broken(EnvironmentFailure, f"Ray cannot run a worker ({line}); is evonas installed on every node?")
        self.pending = self._actor.event.remote()
        event: Event = pickle.loads(told)
        return event

    def memory(self) -> int:
        """Unknown: Ray watches the memory of its nodes itself."""
        return 0

    def close(self) -> None:
        """As Worker.close; waits at most `GONE` seconds. Where the head is lost it is told to end; none waits."""
        if self._cluster.lost:
            self._cluster.ending.append(self._actor.end.remote())
            return
        ray = self._cluster.ray
        ray.kill(self._actor, no_restart=True)
        until = time.monotonic() + GONE
        while time.monotonic() < until and ray.wait([self.pending], timeout=until - time.monotonic())[0]:
            if isinstance(self.event(), Died | Broken):
                return


class RayTransport:
    """A transport to actors that have `needs` of the cluster's resources each: `{"CPU": 2, "GPU": 0.5}`.

    `parcel` is the job (`parcel.py`), which a node gets once. Raises EnvironmentFailure where no file can be written
    beside the run.
    """

    def __init__(self, cluster: Cluster, parcel: bytes, context: Context, needs: Mapping[str, float]) -> None:
        self._cluster, self._gpus = cluster, needs.get("GPU", 0.0)
        ray = cluster.ray
        options = {"num_cpus": needs["CPU"], "num_gpus": self._gpus, "max_concurrency": METHODS}
        self._slot = ray.remote(Slot).options(**options, max_restarts=0, max_task_retries=0)
        self._token = _token(context)
        home = Home(os.getcwd(), tuple(sys.path), versions(), self._token)
        self._parcel, self._context, self._home = ray.put(parcel), pickle.dumps(context), home
        self._first: tuple[str, Mapping[str, Json]] | None = None

    def open(self, device: str | None) -> RayWorker:
        """As Transport.open; the device is for the cluster to choose."""
        return RayWorker(self._cluster, self._slot.remote(self._parcel, self._context, self._home, self._gpus))

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> list[tuple[Worker, Event]]:
        """As Transport.wait. Raises EnvironmentFailure when the head of the cluster is gone."""
        ray = self._cluster.ray
        pending = {worker.pending: worker for worker in workers if isinstance(worker, RayWorker)}
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            left = REACHED if until is None else max(0.0, min(REACHED, until - time.monotonic()))
            arrived = ray.wait(list(pending), timeout=left)[0]
            self._cluster.check_head()
            if arrived or (until is not None and time.monotonic() >= until):
                break
        done = set(ray.wait(list(pending), num_returns=len(pending), timeout=0)[0])
        return [(worker, self._checked(worker)) for call, worker in pending.items() if call in done]

    def close(self) -> None:
        """As Transport.close."""
        if self._token is not None:
            Path(self._token[0]).unlink(missing_ok=True)
        self._cluster.close()

    def _checked(self, worker: RayWorker) -> Event:
        """The worker's event; it is broken if its environment is not that of the first one in what must be the same."""
        event = worker.event()
        if not isinstance(event, Ready):
            return event
        host, first = self._first = self._first or (worker.host, event.environment)
        for name in SAME:
            here, there = event.environment.get(name), first.get(name)
            if here != there:
                text = f"node {worker.host} has another {name} ({here}) than node {host} ({there}); make them the same"
                return Broken(EnvironmentFailure, text)
        return event


def _token(context: Context) -> tuple[str, str] | None:
    """A new file beside the run, with what it holds; None where the run keeps no files.

    It has one name for all sessions of a run, so that the next one removes what a killed one has left.
    """
    folder = context.folder(0)
    if folder is None:
        return None
    run = folder.absolute().parents[1]
    place = next(parent for parent in run.parents if parent.is_dir())
    path, content = place / f".{run.name}.evonas-ray", secrets.token_hex()
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644), "w") as file:
            file.write(content)
    except OSError as error:
        raise EnvironmentFailure(f"cannot write {path}, by which nodes find the run ({error.strerror})") from error
    return str(path), content


def _reason(text: str) -> str:
    """What Ray says of an actor's end, as far as it is short: `: SYSTEM_ERROR`, `: the node is gone`."""
    if "node" in text and ("The actor died because its node has died" in text or "node failure" in text):
        return ": the node is gone"
    kind = re.search(r"Worker exit type: (\w+)", text)
    return f": {kind[1]}" if kind else ""
