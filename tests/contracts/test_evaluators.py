"""Every configured evaluator keeps the contract of Evaluator; and how a pool treats its workers."""

from __future__ import annotations

import fcntl
import gc
import multiprocessing
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from made import HERE, make

from evonas_cli.config.build import build
from evonas_cli.config.folders import options, read
from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.halting import StopRequest
from evonas_cli.core.processes import spawning
from evonas_cli.core.types import Json, Result, Training, Unit
from evonas_cli.store.directory import RunDirectory
from evonas_cli.testing import evaluators as contract
from evonas_cli.testing.doubling import Doubling, Lasting, Telling, alone, candidate
from evonas_cli.testing.evaluators import collect


class Shared(Doubling):
    """Writes its process into the file that it is given, and tells how many have."""

    def open(self, place: Place) -> Doubling:
        assert place.file is not None
        self.file = place.file
        fcntl.lockf(self.file, fcntl.LOCK_EX)
        os.pwrite(self.file, b"x", os.fstat(self.file).st_size)
        fcntl.lockf(self.file, fcntl.LOCK_UN)
        return self

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        for each in unit.candidates:
            if each.proposal.genome == -3:
                os._exit(9)
            deadline = time.monotonic() + 60
            while os.fstat(self.file).st_size < each.proposal.genome and time.monotonic() < deadline:
                time.sleep(0.01)
            yield Result(each.id, "ok", {"double": float(os.fstat(self.file).st_size)})


class Broken(Doubling):
    """Finds when it is opened that a setting is wrong."""

    def open(self, place: Place) -> Doubling:
        raise UsageError("dataset.root=/nowhere does not exist")


class Closed(Doubling):
    """Opens nothing."""

    def open(self, place: Place) -> Any:
        return None


class Unsendable(Doubling):
    """Holds what pickle does not take."""

    def __init__(self) -> None:
        self.rule = lambda number: 2 * number


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("law", contract.LAWS)
def test_the_law_holds(law: Callable[[contract.Make], None], name: str, tmp_path: Path) -> None:
    law(lambda job: make(name, tmp_path, job))


def test_workers_of_a_pool_hold_one_file_and_replacements_hold_it_too(tmp_path: Path) -> None:
    spawning()  # starts the process that tracks semaphores, whose descriptor stays open
    pool = make("pool", tmp_path, Shared(), attempts=1)
    gc.collect()  # closes journals that other tests have left
    open_before = len(os.listdir("/proc/self/fd"))
    pool.start()
    pool.submit(alone(candidate(0, 2)))
    assert collect(pool, 1)[0].metrics == {"double": 2.0}
    pool.close()
    assert len(os.listdir("/proc/self/fd")) == open_before
    pool = make("pool", tmp_path, Shared(), attempts=2, timeout=4.0)
    pool.start()
    pool.submit(alone(candidate(0, 2)))
    collect(pool, 1)
    pool.submit(alone(candidate(1, 99)))
    assert collect(pool, 1)[0].status == "failed"
    pool.submit(alone(candidate(2, 3)))
    assert collect(pool, 1)[0].metrics == {"double": 3.0}
    pool.close()


class Hearing(RunDirectory):
    """A run's folders that remember reports, in this process alone."""

    heard: ClassVar[list[Training]] = []

    def report(self, training: Training) -> None:
        self.heard.append(training)


@pytest.mark.parametrize("name", HERE)
def test_reports_reach_the_context_of_the_evaluator(name: str, tmp_path: Path) -> None:
    Hearing.heard.clear()
    node = read(options("evaluator")[name])
    workers = {"workers": 1} if name == "pool" else {}
    evaluator: Any = build({**node, **workers}, "evaluator", job=Telling(), context=Hearing(tmp_path), device="cpu")
    evaluator.start()
    evaluator.submit(alone(candidate(3, 1)))
    collect(evaluator, 1)
    evaluator.close()
    first = Training((3,), 1, 100, values={"train_loss": 1.0})
    assert Hearing.heard[0] == first and all(one.ids == (3,) for one in Hearing.heard)
    assert len(Hearing.heard) <= 25 if name == "pool" else len(Hearing.heard) == 100


@pytest.mark.parametrize("name", ["serial", "pool"])
def test_a_request_to_stop_is_heard_while_results_are_awaited(name: str, tmp_path: Path) -> None:
    request = StopRequest()
    evaluator = make(name, tmp_path, Lasting(), **({"workers": 1} if name == "pool" else {}), stop_request=request)
    evaluator.start()
    evaluator.submit(alone(candidate(0, 1000), candidate(1, 2000)))
    asking = threading.Timer(0.1, request.ask, (KeyboardInterrupt(), 20.0))
    asking.start()
    assert evaluator.collect() == []
    ended = evaluator.stop()
    evaluator.close()
    assert (list(ended.results), ended.at_epoch, ended.within) == ([], (0,), ())
    assert int((tmp_path / "candidates/0/epochs").read_text()) < 500


class Sleeping(Doubling):
    """Takes a minute."""

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        time.sleep(60)
        yield from super().evaluate(unit, context)


def test_a_worker_that_holds_more_than_the_limit_is_ended(tmp_path: Path) -> None:
    pool = make("pool", tmp_path, Sleeping(), workers=1, memory_limit=0.001)
    pool.start()
    pool.submit(alone(candidate(0, 1)))
    [failed] = collect(pool, 1)
    pool.close()
    assert failed.error is not None and failed.error.kind == "oom"
    assert re.fullmatch(r"its worker held 0\.\d+ GiB, more than evaluator\.memory_limit=0\.001", failed.error.text)


class Laborious(Doubling):
    """The work is the number."""

    def work(self, unit: Unit[Any], environment: Mapping[str, Json]) -> float | None:
        assert environment == {"device": "none"}
        return float(sum(candidate.proposal.genome for candidate in unit.candidates))


@pytest.mark.parametrize(("job", "order"), [(Laborious(), [0, 3, 1, 4, 2]), (Doubling(), [0, 1, 2, 3, 4])])
def test_the_pool_begins_what_takes_longest(job: Any, order: list[int], tmp_path: Path) -> None:
    pool = make("pool", tmp_path, job, workers=1)
    pool.start()
    pool.submit(alone(candidate(0, 1)))
    pool.submit(alone(*[candidate(id, number) for id, number in enumerate([5, 2, 8, 5], start=1)]))
    results: list[Result] = []
    while len(results) < 5:
        results += pool.collect()
    pool.close()
    assert [result.id for result in results] == order
    assert [result.metrics["double"] for result in sorted(results, key=lambda r: r.id)] == [2, 10, 4, 16, 10]


def test_a_killed_worker_is_replaced_and_its_candidate_tried_again(tmp_path: Path) -> None:
    pool = make("pool", tmp_path)
    pool.start()
    pool.submit(alone(candidate(0, -2), candidate(1, 3)))
    results = collect(pool, 2)
    pool.close()
    assert [result.metrics["double"] for result in results] == [-4.0, 6.0]


def test_a_candidate_that_takes_every_worker_with_it_stops_the_run(tmp_path: Path) -> None:
    pool = make("pool", tmp_path)
    pool.start()
    pool.submit(alone(candidate(4, -3)))
    with pytest.raises(EnvironmentFailure, match="candidate 4 lost its worker 2 times.*exit status 9.*crash=fail"):
        collect(pool, 1)
    pool.close()


@pytest.mark.parametrize("attempts", [1, 2])
def test_it_may_be_told_to_fail_instead(tmp_path: Path, attempts: int) -> None:
    pool = make("pool", tmp_path, workers=1, crash="fail", attempts=attempts)
    pool.start()
    pool.submit(alone(candidate(4, -3), candidate(5, 2), candidate(6, -3)))
    results = collect(pool, 3)
    pool.submit(alone(candidate(7, -5)))
    with pytest.raises(EnvironmentFailure, match="disk is full") as error:
        collect(pool, 1)
    pool.close()
    assert [result.id for result in results if result.status == "ok"] == [5]
    errors = [result.error for result in results if result.error is not None]
    assert [e.kind for e in errors] == ["crashed", "crashed"]
    assert errors[0].text.startswith(f"lost its worker {attempts} times, the last one was killed (exit status ")
    assert "crash=fail" not in str(error.value)


def test_a_timeout_is_a_failed_result_and_the_worker_is_replaced(tmp_path: Path) -> None:
    pool = make("pool", tmp_path, timeout=3.0, workers=1)
    pool.start()
    pool.submit(alone(candidate(0, -4), candidate(1, 2)))
    late, fine = collect(pool, 2)
    pool.close()
    assert late.error is not None and late.error.kind == "timeout"
    assert fine.metrics == {"double": 4.0}


def test_what_is_wrong_with_the_configuration_reaches_the_user(tmp_path: Path) -> None:
    pool = make("pool", tmp_path, Broken())
    with pytest.raises(UsageError, match="/nowhere does not exist"):
        pool.start()
    pool.close()


@pytest.mark.parametrize("name", HERE)
def test_what_is_opened_must_be_a_bench(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Closed.open gave NoneType, which is no bench: it has no environment"):
        evaluator = make(name, tmp_path, Closed())
        try:
            evaluator.start()
        finally:
            evaluator.close()


def test_a_job_that_cannot_be_sent_is_refused_before_any_worker_starts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"job Unsendable cannot be sent to worker processes \(.*lambda.*serial"):
        make("pool", tmp_path, Unsendable())
    serial = make("serial", tmp_path, Unsendable())
    assert serial.start() == {"device": "none"}


def test_closing_leaves_no_process_behind(tmp_path: Path) -> None:
    pool = make("pool", tmp_path)
    pool.start()
    pool.submit(alone(candidate(0, -4)))
    processes = multiprocessing.active_children()
    assert len(processes) >= 2
    pool.close()
    assert not any(process.is_alive() for process in processes)
