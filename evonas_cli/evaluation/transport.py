"""What a pool asks of the place where its workers live: to open workers, and to say what happens to them.

A pool decides which worker gets what, and what becomes of a unit that a worker did not finish. A transport starts
workers, carries units to them and results back. `spawned.py` is the transport of one machine, `ray_transport.py` that
of a Ray cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from evonas_cli.core.errors import EvonasError
from evonas_cli.core.halting import Deadline
from evonas_cli.core.types import Json, Result, Training, Unit


@dataclass(frozen=True)
class Ready:
    """The worker has opened its bench, whose environment this is."""

    environment: Mapping[str, Json]


@dataclass(frozen=True)
class Reported:
    """The worker goes on with its unit, and tells how far trainings are. A transport may drop it."""

    trainings: Sequence[Training]


@dataclass(frozen=True)
class Warned:
    """The worker has logged a warning, which the pool logs in its own process: two processes that write to one terminal
    would spoil what one of them draws."""

    text: str


@dataclass(frozen=True)
class Finished:
    """The worker is done with its unit: `results` of its candidates, but for those in `halted`, which it has stopped at
    an epoch's end, or `within` one; the last epoch took so many `seconds`, 0 where that is unknown."""

    results: Sequence[Result]
    halted: tuple[int, ...] = ()
    within: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Broken:
    """The worker has ended with this error, whose text it has told."""

    error: type[EvonasError]
    text: str


@dataclass(frozen=True)
class Died:
    """The worker was killed, by the system or by what it evaluated; `text` says how: `was killed (exit status -9)`."""

    text: str


Event: TypeAlias = Ready | Reported | Warned | Finished | Broken | Died


class Worker(Protocol):
    """A worker that was opened. One that has broken or died is closed by the pool, which opens another."""

    def send(self, unit: Unit[Any]) -> None:
        """Hands over a unit: `worker.send(Unit((candidate,)))`. A worker that is gone tells so by its next event."""

    def limit(self, deadline: Deadline) -> None:
        """Tells it when its units have to stop, from now on; what it stops then is an event as what it ends."""

    def memory(self) -> int:
        """Bytes of the host's memory that it holds for itself, without what it shares; 0 where that is unknown."""

    def close(self) -> None:
        """Ends the worker at once, whatever it does, and waits until it is gone."""


class Transport(Protocol):
    """Where the workers of a pool live."""

    def open(self, device: str | None) -> Worker:
        """A new worker on a device (`cuda:1`; None: the configured one): `transport.open(None)`. Does not wait for it.

        Raises EnvironmentFailure when there is no room for it.
        """

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> list[tuple[Worker, Event]]:
        """What happened to the workers, in their order, after at least one event or so many seconds.

        `transport.wait(workers, None)` waits as long as it takes.
        """

    def close(self) -> None:
        """Lets go of what the workers shared, after all are closed."""
