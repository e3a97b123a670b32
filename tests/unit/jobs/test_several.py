"""Dispatch to several jobs, and the job that counts a network's size."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

import pytest
from benches import unit as together

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Foreseeing, Keyed, Place, Stacking
from evonas_cli.core.sources import Placed
from evonas_cli.core.types import Candidate, Json, Metric, Proposal, Result, Unit
from evonas_cli.jobs.several import Several
from evonas_cli.jobs.size import Size
from evonas_cli.network.task import Task
from evonas_cli.spaces.nasbench201 import NasBench201

SPACE = NasBench201(channels=4)
TASK = Task((1, 8, 8), 10)


class Own:
    """A job of which all candidates of an ask are one program."""

    needs: tuple[type, ...] = ()
    metrics = {"error": Metric("min")}

    def open(self, place: Place) -> Own:
        return self

    def environment(self) -> dict[str, Json]:
        return {"task": TASK.to_json()}

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Any]) -> list[Unit[Any]]:
        assert all(not candidate.proposal.job for candidate in asked)
        return [Unit(tuple(asked), len(asked), tuple(range(len(asked))))]

    def work(self, unit: Unit[Any], environment: Mapping[str, Any]) -> float | None:
        return 7.0

    def epochs(self, unit: Unit[Any], environment: Mapping[str, Any]) -> int | None:
        return 3

    def evaluate(self, unit: Unit[Any], context: Any) -> Iterator[Result]:
        for candidate in unit.candidates:
            yield Result(candidate.id, "ok", {"error": 0.5})


def asked(*jobs: str) -> list[Candidate[Any]]:
    return [Candidate(id, 0, 0, Proposal(SPACE.sample(Random(id)), job=job)) for id, job in enumerate(jobs)]


def test_each_candidate_goes_to_its_job_and_each_job_divides_its_own() -> None:
    job: Any = Several(Own(), {"size": Size(SPACE, None)})
    bench = job.open(Place())
    environment = bench.environment()
    assert environment["jobs"] == {"size": {"task": TASK.to_json()}}
    batch = asked("", "size", "", "size")
    units = job.units(batch, environment)
    assert [[candidate.id for candidate in unit.candidates] for unit in units] == [[0, 2], [1], [3]]
    assert [job.work(unit, environment) for unit in units] == [7.0, None, None]
    assert [job.epochs(unit, environment) for unit in units] == [3, None, None]
    results = {result.id: result.metrics for result in bench.evaluate(together(batch), None)}
    assert results[0] == results[2] == {"error": 0.5}
    plan = SPACE.decode(batch[1].proposal.genome, TASK).plan
    expected = {"parameters": plan.parameters, "multiply_adds": plan.multiply_adds, "depth": plan.depth}
    assert results[1] == expected == job._others["size"].static_metrics(batch[1].proposal.genome, environment)
    assert job.metrics == Own.metrics and isinstance(job, Stacking) and isinstance(job, Foreseeing)
    assert not isinstance(job, Keyed) and isinstance(job, Placed)


def test_a_size_is_that_of_a_task_and_needs_one() -> None:
    class Scoring(Own):
        def environment(self) -> dict[str, Json]:
            return {}

    with pytest.raises(UsageError, match="needs a task, which the run's own job does not have; use job=train"):
        Several(Scoring(), {"size": Size(SPACE, None)}).open(Place())
    with pytest.raises(UsageError, match="needs examples with targets, which the dataset object has not"):
        Size(SPACE, object()).check_there()


def test_a_genome_without_a_network_is_unbuildable() -> None:
    class Raising:
        def decode(self, genome: Any, task: Task) -> Any:
            raise ValueError("no\nnetwork")

    job = Size(Raising(), None).beside({"task": TASK.to_json()})
    [result] = job.evaluate(together(asked("size")), None)  # type: ignore[arg-type]
    assert result.error is not None and (result.error.kind, result.error.text) == (
        "unbuildable",
        "ValueError: no network",
    )
    assert job.static_metrics(1, {"task": TASK.to_json()}) is None


def test_counting_imports_no_torch() -> None:
    code = (
        "import sys\nfrom random import Random\nfrom evonas_cli.jobs.size import Size\n"
        "from evonas_cli.spaces.nasbench201 import NasBench201\nfrom evonas_cli.core.types import *\n"
        "space = NasBench201(channels=4)\n"
        "task = {'inputs': [1, 8, 8], 'outputs': 10, 'kind': 'classes', 'vocabulary': 0}\n"
        "job = Size(space, None).beside({'task': task})\n"
        "[r] = job.evaluate(Unit((Candidate(0, 0, 0, Proposal(space.sample(Random(1)))),)), None)\n"
        "assert r.metrics['parameters'] > 0 and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
