"""Evaluates in workers that stay alive for the whole run, one unit of candidates at a time each.

A worker that is killed or breaks is replaced, and the candidates of its unit are tried again, in halves. A candidate
that takes `attempts` workers with it, alone and in the narrowest program, stops the run, because a broken machine must
not look like a bad network, unless the user says that it is the network. Where workers live and how units reach them is
for a transport to say (`transport.py`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from evonas_cli.core.errors import EnvironmentFailure, EvonasError
from evonas_cli.core.evaluating import Context, Job
from evonas_cli.core.halting import Deadline, Ended, StopRequest, earlier
from evonas_cli.core.types import Candidate, Failure, Json, Result, Unit
from evonas_cli.evaluation.agreement import compare
from evonas_cli.evaluation.division import Division, at_least_one
from evonas_cli.evaluation.ending import ended
from evonas_cli.evaluation.pace import Pace
from evonas_cli.evaluation.parcel import packed
from evonas_cli.evaluation.queue import Queue
from evonas_cli.evaluation.retries import Retries
from evonas_cli.evaluation.spawned import Spawned
from evonas_cli.evaluation.transport import Broken, Died, Event, Ready, Reported, Transport, Warned, Worker
from evonas_cli.evaluation.units import abreast, divide, merged, work
from evonas_cli.evaluation.watching import LOOK, Limits

_log = logging.getLogger(__name__)
G = TypeVar("G")
TICK = 0.001
"""Seconds by which two deadlines differ that are not one."""


@dataclass
class _Slot:
    device: str | None
    worker: Worker
    unit: Unit[Any] | None = None
    since: float = 0.0
    sign: float = 0.0
    ready: bool = False


class Pool(Generic[G]):
    """Worker processes that stay alive, each with CPU threads of its own, on all devices.

    There are `workers` processes (default: one a GPU, or one a core without GPUs), each with `threads` CPU threads.

    `devices` lists CUDA device numbers (default: all, unless the run's `device` says otherwise); workers take them in
    turn. `timeout` in seconds ends a candidate as `failed: timeout`, and so does `silence`, seconds without a report.
    `memory_limit` in GiB ends one as `failed: oom` that exceeds it twice, the second time alone. `crash` fail: a
    candidate that took `attempts` workers with it, which died, is `failed: crashed` and does not stop the run. Raises
    UsageError for a job that cannot be sent to a worker.
    """

    def __init__(
        self,
        job: Job[G],
        context: Context,
        device: str = "auto",
        workers: int | None = None,
        devices: Sequence[int] | None = None,
        threads: int = 1,
        timeout: float | None = None,
        silence: float | None = None,
        memory_limit: float | None = None,
        attempts: int = 2,
        crash: Literal["stop", "fail"] = "stop",
        stop_request: StopRequest | None = None,
    ) -> None:
        at_least_one(attempts=attempts)
        self.division = Division(device, workers, devices, threads)
        self._job, self._parcel, self._context = job, packed(job), context
        self._limits = Limits(timeout, silence, memory_limit)
        self._attempts, self._crash = attempts, crash
        self._transport: Transport | None = None
        self._pool: list[_Slot] = []
        self._queue: Queue[G] = Queue(lambda unit: work(self._job, unit, self._environment))
        self._pace: Pace[G] = Pace(job)
        self._deadline: Deadline | None = None
        self._request = stop_request
        self._ended = Ended()
        self._retries, self._unstarted = Retries(attempts), 0
        self._failure: EvonasError | None = None
        self._environment: dict[str, Json] = {}

    @property
    def slots(self) -> int:
        """The number of workers."""
        return self.division.slots

    def start(self) -> dict[str, Json]:
        """Starts all workers and waits for the first one that is ready. Raises what broke a worker."""
        self.division.check()
        self._transport = self._connect()
        places = self.division.places
        self._pool = [self._open(places[k % len(places)]) for k in range(self.slots)]
        while not any(slot.ready for slot in self._pool):
            self._listen()
        return self._environment

    def units(self, asked: Sequence[Candidate[G]]) -> list[Unit[G]]:
        """As the job divides the ask."""
        return divide(self._job, asked, self._environment)

    def submit(self, units: Sequence[Unit[G]]) -> None:
        """Queues the units and gives idle workers something to do."""
        for unit in units:
            self._queue.add(unit)
        self._deal()

    def collect(self, deadline: Deadline | None = None) -> list[Result]:
        """Waits for at least one result. Raises EnvironmentFailure when a candidate broke too many workers."""
        self._limit(deadline)
        results: list[Result] = []
        while not results and (self._deadline is None or self._expects()):
            results = self._listen()
            self._limit(deadline)
            self._deal()
            if self._deadline is not None and self._deadline.due():
                break
        return results

    def stop(self) -> Ended:
        """Waits until `latest` of the last deadline for workers that are asked to stop, and ends the others."""
        if self._failure is not None:
            raise self._failure
        busy = [(slot.worker, slot.unit) for slot in self._pool if slot.unit is not None]
        return ended(self._connected, busy, self._deadline, self._ended)

    def close(self) -> None:
        """Ends the workers."""
        for slot in self._pool:
            slot.worker.close()
        self._pool = []
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _connect(self) -> Transport:
        """The transport to this pool's workers."""
        return Spawned(self._parcel, self._context)

    @property
    def _connected(self) -> Transport:
        if self._transport is None:
            raise RuntimeError("the pool was not started")
        return self._transport

    def _open(self, device: str | None) -> _Slot:
        slot = _Slot(device, self._connected.open(device))
        if self._deadline is not None:
            slot.worker.limit(self._deadline)
        return slot

    def _limit(self, deadline: Deadline | None) -> None:
        """Passes the deadline that counts on to the workers if it is a new one, and not the old one as a clock reads it
        now: the given one, or that of a request to stop."""
        deadline = earlier(deadline, None if self._request is None else self._request.deadline)
        before, self._deadline = self._deadline, deadline
        if deadline is not None and (before is None or abs(deadline.until - before.until) > TICK):
            for slot in self._pool:
                slot.worker.limit(deadline)

    def _expects(self) -> bool:
        """Whether anything may still come: something is under way, or waits for a worker that is starting."""
        return bool(self._queue) or any(slot.unit is not None for slot in self._pool)

    def _deal(self) -> None:
        for slot in self._pool:
            if slot.ready and slot.unit is None and self._has_next():
                slot.unit, slot.since = self._next(), time.monotonic()
                slot.sign = slot.since
                slot.worker.send(slot.unit)

    def _has_next(self) -> bool:
        """Whether there is a unit to begin. Those for which there is too little time left are dropped."""
        self._queue.drop_until(lambda unit: self._pace.fits(unit, self._deadline, self._environment))
        return bool(self._queue)

    def _next(self) -> Unit[G]:
        """The unit that goes next, and with it as many others as the job wants at once and idle workers can spare.

        A unit that has lost a worker, or exceeded the time limit beside others, is sent alone.
        """
        together = [self._queue.pop()]
        idle = sum(slot.ready and slot.unit is None for slot in self._pool)
        most = min(abreast(self._job, self._environment), -(-(len(self._queue) + 1) // idle))
        while len(together) < most and self._sociable(together[0]) and self._sociable(self._queue.first()):
            together.append(self._queue.pop())
        return merged(together)

    def _sociable(self, unit: Unit[G] | None) -> bool:
        return unit is not None and unit.width == 1 and unit.candidates[0].id not in self._retries.suspects

    def _listen(self) -> list[Result]:
        if self._failure is not None:
            raise self._failure
        slots = {id(slot.worker): slot for slot in self._pool}
        limits = [self._limits.patience([slot for slot in self._pool if slot.unit is not None], time.monotonic())]
        limits += [None if self._deadline is None else self._deadline.seconds, None if self._request is None else LOOK]
        limit = min([seconds for seconds in limits if seconds is not None], default=None)
        results: list[Result] = []
        for worker, event in self._connected.wait([slot.worker for slot in self._pool], limit):
            try:
                results += self._hear(slots[id(worker)], event)
            except EvonasError as error:
                self._failure = self._failure or error
        if self._failure is not None and not results:
            raise self._failure
        return results if self._failure is not None else results + self._overdue()

    def _hear(self, slot: _Slot, event: Event) -> list[Result]:
        if isinstance(event, Died):
            return self._replace(slot, EnvironmentFailure, event.text, True)
        if isinstance(event, Broken):
            return self._replace(slot, event.error, event.text, False)
        if isinstance(event, Ready):
            slot.ready, self._unstarted = True, 0
            self._environment = self._environment or dict(event.environment)
            compare(self._environment, event.environment)
            return []
        if isinstance(event, Warned):
            _log.warning("%s", event.text)
            return []
        if isinstance(event, Reported):
            slot.sign = time.monotonic()
            for training in event.trainings:
                self._context.report(training)
            return []
        if event.halted:
            self._ended = self._ended.and_halted(event.halted, event.within)
        if slot.unit is not None:
            whole = 0.0 if event.halted else time.monotonic() - slot.since
            self._pace.learn(slot.unit, self._environment, whole, event.seconds)
        slot.unit = None
        for result in event.results:
            self._retries.done(result.id)
        return list(event.results)

    def _replace(self, slot: _Slot, error: type[EvonasError], text: str, died: bool) -> list[Result]:
        """Puts a fresh worker in the place of a lost one, and its candidates back into the queue, each for itself; the
        result of one whose workers all `died`, if it is to fail.

        Raises for what broke a worker, and for one that could not start: where others did, once `attempts` workers in a
        row died while they started, since a node may be lost just then."""
        if error is not EnvironmentFailure:
            raise error(text)
        if slot.unit is None and not slot.ready:
            self._unstarted += 1
            beside = any(other.ready for other in self._pool)
            if not died or not beside or self._unstarted >= self._attempts:
                raise error(f"a worker could not start: {text}")
        given_up: list[Result] = []
        if slot.unit is not None:
            parts = self._retries.after_loss(slot.unit)
            for part in parts:
                self._queue.add(part)
            given_up = [] if parts else [self._given_up(slot, text, died)]
        self._renew(slot)
        return given_up

    def _given_up(self, slot: _Slot, text: str, died: bool) -> Result:
        """Raises EnvironmentFailure unless candidates that end their workers are to fail."""
        assert slot.unit is not None
        id = slot.unit.candidates[0].id
        found = f"lost its worker {self._attempts} times, the last one {text}"
        if died and self._crash == "fail":
            self._retries.done(id)
            return Result(id, "failed", {}, None, Failure("crashed", found), time.monotonic() - slot.since)
        hint = "; evaluator.crash=fail records it as failed instead" if died else ""
        raise EnvironmentFailure(
            f"candidate {id} {found}; nothing was recorded for it and the run can be resumed{hint}"
        )

    def _renew(self, slot: _Slot) -> None:
        slot.worker.close()
        self._pool[self._pool.index(slot)] = self._open(slot.device)

    def _overdue(self) -> list[Result]:
        """Ends workers that exceed a limit; the results of candidates that were alone."""
        now, results = time.monotonic(), []
        for slot in list(self._pool):
            failure = None if slot.unit is None else self._limits.exceeded(slot, now)
            if slot.unit is None or failure is None:
                continue
            parts = self._retries.after_excess(slot.unit, failure)
            for part in parts:
                self._queue.add(part)
            if not parts:
                id = slot.unit.candidates[0].id
                results.append(Result(id, "failed", {}, None, failure, now - slot.since))
                self._retries.done(id)
            self._renew(slot)
        return results
