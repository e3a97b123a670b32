"""What every evaluator keeps to, whatever the job does: `law(make)`, where `make(job)` is an evaluator, not started."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

from evonas_cli.core.errors import EnvironmentFailure, EvonasError, UsageError
from evonas_cli.core.evaluating import Evaluator
from evonas_cli.core.halting import Deadline
from evonas_cli.core.types import Failure, Result
from evonas_cli.testing.doubling import (
    Answering,
    Dividing,
    Doubling,
    Lasting,
    Late,
    Pairing,
    Raising,
    RaisingTogether,
    Telling,
    alone,
    candidate,
)

Make: TypeAlias = Callable[[Any], Any]


@contextmanager
def started(make: Make, job: Any) -> Iterator[Any]:
    """An evaluator of the job that has been started, and is closed in the end."""
    evaluator = make(job)
    try:
        evaluator.start()
        yield evaluator
    finally:
        evaluator.close()


def collect(evaluator: Any, count: int) -> list[Result]:
    """So many results by id."""
    results: list[Result] = []
    while len(results) < count:
        arrived = evaluator.collect()
        assert arrived, "collect waits for at least one result"
        results += arrived
    return sorted(results, key=lambda result: result.id)


def raised(act: Callable[[], Any], kind: type[EvonasError]) -> str:
    """The text of the error that `act` raises."""
    try:
        act()
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__} was raised")


def every_id_comes_back_once(make: Make) -> None:
    """Whenever it was submitted."""
    evaluator = make(Doubling())
    try:
        assert isinstance(evaluator, Evaluator) and evaluator.slots >= 1
        assert evaluator.start() == {"device": "none"}
        evaluator.submit(alone(candidate(0, 5), candidate(1, -1)))
        evaluator.submit(alone(candidate(2, 7)))
        first, second, third = collect(evaluator, 3)
        assert (first.id, first.metrics) == (0, {"double": 10.0})
        assert (second.id, second.status, second.error) == (1, "failed", Failure("error", "a bad number"))
        assert (third.id, third.metrics) == (2, {"double": 14.0})
        evaluator.submit(alone(candidate(3, 1)))
        assert [result.id for result in collect(evaluator, 1)] == [3]
    finally:
        evaluator.close()


def what_a_job_puts_together_is_evaluated_together(make: Make) -> None:
    """In the places that the candidates have, when the unit is evaluated in part, too; other jobs divide an ask up."""
    with started(make, Pairing()) as evaluator:
        units = evaluator.units([candidate(id, 5 + id) for id in range(3)])
        assert [[c.id for c in unit.candidates] for unit in units] == [[0, 1], [2]]
        evaluator.submit([units[0].among({1}), units[1]])
        second, third = collect(evaluator, 2)
    assert (second.metrics, second.labels) == ({"double": 12.0}, {"stack": "1/2"})
    assert (third.metrics, third.labels) == ({"double": 14.0}, {"stack": "0/2"})
    with started(make, Doubling()) as evaluator:
        asked = [candidate(0, 1), candidate(1, 2)]
        assert evaluator.units(asked) == alone(*asked)


def units_are_a_partition_of_the_ask(make: Make) -> None:
    """A job that leaves a candidate out is refused."""
    with started(make, Dividing()) as evaluator:
        said = raised(lambda: evaluator.units([candidate(0, 1), candidate(1, 1)]), UsageError)
    assert "Dividing.units must put each candidate" in said


def a_wrong_setting_found_late_is_still_a_wrong_setting(make: Make) -> None:
    """UsageError passes as it is."""
    with started(make, Late()) as evaluator:
        evaluator.submit(alone(candidate(0, 1)))
        assert "no such row" in raised(evaluator.collect, UsageError)


def what_is_wrong_with_the_machine_is_no_result(make: Make) -> None:
    """EnvironmentFailure passes; errors of the disk and of the device become one."""
    cases = ((Doubling(), -5, "disk is full"), (Raising(), 7, "No such file"), (Raising(), 8, "device-side assert"))
    for job, number, said in cases:
        with started(make, job) as evaluator:
            evaluator.submit(alone(candidate(0, number)))
            assert said in raised(evaluator.collect, EnvironmentFailure)


def what_a_job_raises_for_a_candidate_is_its_failure(make: Make) -> None:
    """And no other's, though four were evaluated at once."""
    with started(make, Raising()) as evaluator:
        evaluator.submit(alone(*[candidate(id, number) for id, number in enumerate([1, 3, 2, 4, 5, 6])]))
        results = collect(evaluator, 6)
    assert [result.metrics.get("double") for result in results] == [2, None, 4, None, None, 12]
    kinds = {result.id: (result.error.kind, result.error.text) for result in results if result.error}
    assert kinds[1] == ("error", "ValueError: bad luck") and kinds[3][0] == "oom"
    assert kinds[4] == ("unbuildable", "PlanError: a map smaller than its kernel")


def in_one_program_the_others_keep_their_places(make: Make) -> None:
    """Who raises is found by halving; the other results are those of the same width and place."""
    with started(make, RaisingTogether()) as evaluator:
        evaluator.submit(evaluator.units([candidate(id, number) for id, number in enumerate([1, 2, 3, 6])]))
        results = collect(evaluator, 4)
    assert [result.status for result in results] == ["ok", "ok", "failed", "ok"]
    assert [result.labels.get("stack") for result in results] == ["0/4", "1/4", None, "3/4"]


def a_bench_gives_one_result_for_each(make: Make) -> None:
    """Anything else is refused with one line that says what was given."""
    wrong = ("no result, or too few", "no result, or too few", "a second result for candidate 0", "a dict",
             "a result for 99")  # fmt: skip
    for number, found in enumerate(wrong, start=1):
        with started(make, Answering()) as evaluator:
            evaluator.submit(alone(candidate(0, number)))
            said = raised(partial(collect, evaluator, 9), UsageError)
        assert said.startswith(f"Answering.evaluate: asked for candidate 0 it gave {found}"), said
        assert said.endswith("it must yield one Result for each")


def what_a_bench_reports_changes_no_result(make: Make) -> None:
    """Whoever hears of it: an evaluator may drop reports."""
    with started(make, Telling()) as evaluator:
        evaluator.submit(alone(*[candidate(id, id) for id in range(5)]))
        assert [result.metrics for result in collect(evaluator, 5)] == [{"double": 2.0 * id} for id in range(5)]


def what_stops_at_its_deadline_goes_on_later(make: Make) -> None:
    """At the end of an epoch, so that no epoch is evaluated twice; of what has stopped there is no result."""
    with started(make, Lasting()) as evaluator:
        now = time.monotonic()
        evaluator.submit(alone(candidate(0, 100)))
        assert evaluator.collect(Deadline(now + 0.2, now + 60)) == []
        ended = evaluator.stop()
        assert (list(ended.results), ended.at_epoch, ended.within) == ([], (0,), ())
    with started(make, Lasting()) as evaluator:
        evaluator.submit(alone(candidate(0, 100)))
        [result] = collect(evaluator, 1)
    assert result.metrics["double"] == 200.0 and result.metrics["epochs"] < 100


def nothing_is_begun_after_the_deadline(make: Make) -> None:
    """What had been begun before is not waited for."""
    with started(make, Lasting()) as evaluator:
        evaluator.submit(alone(*[candidate(id, 100_000) for id in range(9)]))
        over = Deadline(time.monotonic(), time.monotonic())
        assert evaluator.collect(over) == [] and evaluator.collect(over) == []
        ended = evaluator.stop()
        assert list(ended.results) == [] and len({*ended.at_epoch, *ended.within}) <= evaluator.slots


LAWS: Sequence[Callable[[Make], None]] = (
    every_id_comes_back_once,
    what_a_job_puts_together_is_evaluated_together,
    units_are_a_partition_of_the_ask,
    a_wrong_setting_found_late_is_still_a_wrong_setting,
    what_is_wrong_with_the_machine_is_no_result,
    what_a_job_raises_for_a_candidate_is_its_failure,
    in_one_program_the_others_keep_their_places,
    a_bench_gives_one_result_for_each,
    what_a_bench_reports_changes_no_result,
    what_stops_at_its_deadline_goes_on_later,
    nothing_is_begun_after_the_deadline,
)
"""Every check. The context of each evaluator must have folders (`RunDirectory`)."""
