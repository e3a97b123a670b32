"""The pool's policy over a transport that is a script: what is sent to whom when workers die, break and answer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.halting import Deadline
from evonas_cli.core.types import Candidate, Failure, Proposal, Result, Training, Unit
from evonas_cli.evaluation.pool import Pool
from evonas_cli.evaluation.transport import Broken, Died, Event, Finished, Ready, Reported, Warned, Worker

Answers: TypeAlias = Callable[[tuple[int, ...]], Event | None]
"""What becomes of a unit with these ids; None: nothing yet."""


class Scripted:
    """A worker that answers each unit as the script says; `sent` lists the ids of all units."""

    def __init__(self, script: Answers, sent: list[tuple[int, ...]]) -> None:
        self.script, self.sent = script, sent
        self.events: deque[Event] = deque([Ready({"device": "none"})])
        self.closed = False
        self.deadlines: list[Deadline] = []
        self.held = list[int]()

    def send(self, unit: Unit[Any]) -> None:
        ids = tuple(candidate.id for candidate in unit.candidates)
        self.sent.append(ids)
        event = self.script(ids)
        self.events.extend([] if event is None else [event])

    def limit(self, deadline: Deadline) -> None:
        self.deadlines.append(deadline)

    def memory(self) -> int:
        return self.held.pop(0) if self.held else 0

    def close(self) -> None:
        self.closed = True


class Script:
    """A transport to such workers."""

    def __init__(self, script: Answers) -> None:
        self.script, self.sent = script, list[tuple[int, ...]]()
        self.opened: list[Scripted] = []
        self.closed = False

    def open(self, device: str | None) -> Scripted:
        self.opened.append(Scripted(self.script, self.sent))
        return self.opened[-1]

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> list[tuple[Worker, Event]]:
        return [(each, each.events.popleft()) for each in workers if isinstance(each, Scripted) and each.events]

    def close(self) -> None:
        self.closed = True


def answers(ids: tuple[int, ...]) -> Event:
    return Finished([Result(id, "ok", {"error": float(id)}) for id in ids])


class Nothing:
    """A job that plans nothing, and is not asked to evaluate."""


class Hearing:
    """A context that remembers reports."""

    def __init__(self) -> None:
        self.reported: list[Training] = []

    def folder(self, id: int) -> Path | None:
        return None

    def report(self, training: Training) -> None:
        self.reported.append(training)


def pool(
    script: Answers, context: Hearing | None = None, transport: Script | None = None, **settings: Any
) -> tuple[Pool[Any], Script]:
    transport = transport or Script(script)

    class Here(Pool[Any]):
        def _connect(self) -> Script:
            return transport

    found: Pool[Any] = Here(Nothing(), context or Hearing(), device="cpu", **settings)  # type: ignore[arg-type]
    found.start()
    return found, transport


def unit(*ids: int, width: int = 1) -> Unit[Any]:
    candidates = tuple(Candidate(id, 0, id, Proposal(0)) for id in ids)
    return Unit(candidates, width, tuple(range(len(ids))))


def collected(found: Pool[Any], count: int) -> dict[int, Result]:
    results: dict[int, Result] = {}
    while len(results) < count:
        results |= {result.id: result for result in found.collect()}
    return results


def test_a_worker_that_dies_is_replaced_and_its_unit_is_halved() -> None:
    def script(ids: tuple[int, ...]) -> Event:
        return Died("was killed (exit status -9)") if len(ids) > 1 else answers(ids)

    found, transport = pool(script, workers=1)
    found.submit([unit(0, 1, 2, 3, width=4)])
    assert sorted(collected(found, 4)) == [0, 1, 2, 3]
    assert sorted(transport.sent, key=len, reverse=True)[:3] == [(0, 1, 2, 3), (0, 1), (2, 3)]
    assert [worker.closed for worker in transport.opened] == [True, True, True, False]
    found.close()
    assert transport.closed and all(worker.closed for worker in transport.opened)


class Stumbling(Script):
    """A transport of which the workers with these numbers, counted from 0, die while they start."""

    def __init__(self, numbers: set[int]) -> None:
        super().__init__(answers)
        self.numbers = numbers

    def open(self, device: str | None) -> Scripted:
        worker = super().open(device)
        if len(self.opened) - 1 in self.numbers:
            worker.events = deque([Died("was killed (exit status -9)")])
        return worker


class Slow(Script):
    """A transport that has nothing to tell for a while."""

    def wait(self, workers: Any, seconds: float | None) -> Any:
        time.sleep(0.01)
        return super().wait(workers, seconds)


def test_a_worker_that_dies_while_it_starts_is_opened_again_beside_others() -> None:
    found, transport = pool(answers, transport=Stumbling({1}), workers=2)
    found.submit([unit(0), unit(1)])
    assert sorted(collected(found, 2)) == [0, 1]
    assert [worker.closed for worker in transport.opened] == [False, True, False]


@pytest.mark.parametrize(("numbers", "settings"), [({0}, {}), ({1, 2}, {}), ({1}, {"attempts": 1})])
def test_workers_that_cannot_start_stop_the_run(numbers: set[int], settings: dict[str, Any]) -> None:
    workers = 1 if 0 in numbers else 2
    with pytest.raises(EnvironmentFailure, match="a worker could not start: was killed"):
        found, _ = pool(answers, transport=Stumbling(numbers), workers=workers, **settings)
        found.submit([unit(id) for id in range(20)])
        collected(found, 20)


@pytest.mark.parametrize(("crash", "attempts"), [("fail", 1), ("fail", 3), ("stop", 2)])
def test_a_candidate_that_ends_its_workers_fails_or_stops_the_run(crash: str, attempts: int) -> None:
    def script(ids: tuple[int, ...]) -> Event:
        return Died("was killed (exit status 1)") if ids == (1,) else answers(ids)

    found, transport = pool(script, workers=2, crash=crash, attempts=attempts)
    found.submit([unit(0), unit(1), unit(2)])
    if crash == "stop":
        with pytest.raises(EnvironmentFailure, match="candidate 1 lost its worker 2 times"):
            collected(found, 3)
        return
    results = collected(found, 3)
    assert results[1].error is not None and results[1].error.kind == "crashed"
    assert transport.sent.count((1,)) == attempts


def test_what_a_worker_tells_of_the_machine_stops_the_run() -> None:
    found, _ = pool(lambda ids: Broken(EnvironmentFailure, "the disk is full"), workers=1, attempts=1)
    found.submit([unit(0)])
    with pytest.raises(EnvironmentFailure, match="the disk is full"):
        collected(found, 1)


def test_what_a_worker_reports_meanwhile_reaches_the_context_and_ends_no_unit() -> None:
    context, early = Hearing(), [Training((0,), 1, 8), Training((0,), 2, 8, values={"train_loss": 0.5})]
    found, transport = pool(lambda ids: Reported(early[:1] if ids == (0,) else []), context, workers=1)
    found.submit([unit(0), unit(1)])
    [worker] = transport.opened
    worker.events += [Reported(early[1:]), answers((0,))]
    transport.script = worker.script = answers
    assert sorted(collected(found, 2)) == [0, 1]
    assert context.reported == early and transport.sent == [(0,), (1,)]


def test_a_warning_of_a_worker_is_logged_by_the_pool(caplog: pytest.LogCaptureFixture) -> None:
    found, transport = pool(lambda ids: Warned("few updates: 100%"), workers=1)
    found.submit([unit(0)])
    [worker] = transport.opened
    worker.events.append(answers((0,)))
    assert list(collected(found, 1)) == [0]
    assert [record.getMessage() for record in caplog.records] == ["few updates: 100%"]


def within(seconds: float, grace: float = 0.2) -> Deadline:
    now = time.monotonic()
    return Deadline(now + seconds, now + seconds + grace)


def test_every_worker_is_told_the_deadline_once_and_a_new_one_too() -> None:
    def script(ids: tuple[int, ...]) -> Event:
        return Died("was killed (exit status 1)") if transport.sent.count((0,)) == 1 else answers(ids)

    found, transport = pool(script, workers=2)
    found.submit([unit(0)])
    deadline = within(60.0)
    while not found.collect(deadline):
        deadline = Deadline(deadline.until + 1e-6, deadline.latest + 1e-6)
    assert len(transport.opened) == 3 and [len(worker.deadlines) for worker in transport.opened] == [1, 1, 1]
    found.submit([unit(1)])
    found.collect(within(90.0))
    assert [len(worker.deadlines) for worker in transport.opened[1:]] == [2, 2]
    found.close()


def test_what_ends_and_what_stops_until_the_latest_moment_is_told_apart() -> None:
    """Unit 0 ends in the grace, 1 stops at an epoch's end, 2 loses its worker, 3 is not heard of, 4 is not begun."""
    found, transport = pool(lambda ids: None, workers=4)
    found.submit([unit(id) for id in range(4)])
    found.submit([unit(4)])
    assert found.collect(within(0.05, grace=1.0)) == []
    told: list[Event] = [answers((0,)), Finished([], (1,)), Died("was killed (exit status -9)")]
    for worker, event in zip(transport.opened, told, strict=False):
        worker.events.append(event)
    ended = found.stop()
    assert [result.id for result in ended.results] == [0] and (ended.at_epoch, ended.within) == ((1,), (2, 3))
    assert (4,) not in transport.sent and not transport.opened[3].closed
    found.close()
    assert all(worker.closed for worker in transport.opened)


def test_nothing_is_waited_for_when_all_have_stopped_before_the_deadline() -> None:
    """Because an epoch of theirs could not end by then; results beside those that stop are handed out."""
    found, _ = pool(lambda ids: Finished([Result(ids[0], "ok")], ids[1:], seconds=100.0), workers=1)
    found.submit([unit(0, 1, 2, width=4)])
    began = time.monotonic()
    assert [result.id for result in found.collect(within(600.0))] == [0]
    assert found.collect(within(600.0)) == []
    ended = found.stop()
    assert list(ended.results) == [] and ended.at_epoch == (1, 2) and time.monotonic() - began < 60.0


def test_a_full_disk_while_checkpoints_are_written_stops_the_run() -> None:
    found, transport = pool(lambda ids: None, workers=2)
    found.submit([unit(0), unit(1)])
    assert found.collect(within(0.05)) == []
    transport.opened[1].events.append(Broken(EnvironmentFailure, "the disk is full"))
    with pytest.raises(EnvironmentFailure, match="the disk is full"):
        found.stop()


def test_a_training_that_reports_nothing_any_more_is_hung() -> None:
    """A report is a sign of life, and a unit of several candidates is tried in halves."""

    def script(ids: tuple[int, ...]) -> Event | None:
        return Reported([Training((0,), 1, 9)]) if 0 in ids else answers(ids)

    found, transport = pool(script, transport=Slow(script), workers=1, silence=0.05)
    found.submit([unit(0, 1, width=2)])
    results = collected(found, 2)
    assert results[1].status == "ok" and results[0].error is not None and results[0].error.kind == "timeout"
    assert results[0].error.text == "hung: its worker reported nothing for evaluator.silence=0.05 s"
    assert results[0].seconds >= 0.05 and transport.sent.count((0,)) == 1


def test_a_worker_that_holds_too_much_memory_is_ended_twice() -> None:
    def script(ids: tuple[int, ...]) -> Event | None:
        held = {1: [3 << 30], 2: [] if (2,) in transport.sent[:-1] else [3 << 30]}
        transport.opened[-1].held = held.get(ids[0], [])
        return answers(ids) if ids == (0,) or (ids == (2,) and not transport.opened[-1].held) else None

    transport: Script
    found, transport = pool(script, transport=Slow(script), workers=1, memory_limit=2.5)
    found.submit([unit(0), unit(1), unit(2)])
    results = collected(found, 3)
    assert results[0].status == results[2].status == "ok"
    assert results[1].error == Failure("oom", "its worker held 3.00 GiB, more than evaluator.memory_limit=2.5")
    assert transport.sent.count((1,)) == transport.sent.count((2,)) == 2 and len(transport.opened) == 4


@pytest.mark.parametrize("key", ["timeout", "silence", "memory_limit"])
def test_a_limit_is_above_0(key: str) -> None:
    with pytest.raises(UsageError, match=f"evaluator.{key} is 0; it must be above 0"):
        pool(answers, None, **{key: 0})
