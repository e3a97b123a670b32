"""What every job keeps to, on candidates whose genomes it can evaluate: `law(job, asked, folder)`, the folder empty."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from evonas_cli.core.evaluating import Bench, Describing, Foreseeing, Job, Narrowing, Place, opened
from evonas_cli.core.types import Candidate, Metric, Proposal, Result, Unit
from evonas_cli.evaluation.parcel import packed, unpacked
from evonas_cli.evaluation.units import divide
from evonas_cli.store.directory import RunDirectory

Asked: TypeAlias = Sequence[Candidate[Any]]


def sampled(space: Any, count: int = 3) -> list[Candidate[Any]]:
    """Candidates to put a job to, with genomes of the space."""
    rng = Random(3)
    return [Candidate(id, 0, 100 + id, Proposal(space.sample(rng))) for id in range(count)]


def conforms(job: Any, asked: Asked, folder: Path) -> None:
    """The interface is whole, metrics have directions, and the environment can be recorded."""
    assert isinstance(job, Job)
    assert all(isinstance(metric, Metric) and metric.direction in ("min", "max") for metric in job.metrics.values())
    bench = job.open(Place())
    assert isinstance(bench, Bench)
    environment = bench.environment()
    assert environment == bench.environment() == json.loads(json.dumps(environment, allow_nan=False))
    assert _is_plain(environment), "a worker's environment has types of Python's own, or else all who read it load more"


def what_is_sent_to_a_worker_plans_the_same(job: Any, asked: Asked, folder: Path) -> None:
    """A pickled copy has the same metrics, divides an ask in the same way, and foresees the same work."""
    environment = opened(job, Place()).environment()
    other = pickle.loads(packed(job))
    assert other.metrics == job.metrics and other.needs == job.needs
    units = divide(job, asked, environment)
    assert divide(other, asked, environment) == units
    if isinstance(job, Foreseeing):
        works = [job.work(unit, environment) for unit in units]
        assert works == [other.work(unit, environment) for unit in units]
        assert all(work is None or work >= 0 for work in works)


def each_candidate_has_one_result_with_the_declared_metrics(job: Any, asked: Asked, folder: Path) -> None:
    """Numbers that are finite for a candidate that succeeds, a kind and a text for one that fails; some succeed."""
    bench = opened(job, Place())
    declared = declared_by(job, bench)
    results = list(bench.evaluate(_together(asked), RunDirectory(folder)))
    assert sorted(result.id for result in results) == sorted(candidate.id for candidate in asked)
    assert any(result.status == "ok" for result in results)
    for result in results:
        if result.status == "ok":
            assert result.error is None and set(declared) <= set(result.metrics)
            assert all(math.isfinite(value) for value in result.metrics.values())
            assert len(result.descriptor) == (len(job.descriptor) if isinstance(job, Describing) else 0)
            assert all(math.isfinite(value) for value in result.descriptor)
        else:
            assert result.error is not None and result.error.kind and "\n" not in result.error.text


def the_same_candidate_gives_the_same_bits(job: Any, asked: Asked, folder: Path) -> None:
    """Beside others or alone, in any order, in this process or in a worker: all but measured metrics are equal."""
    here, there = opened(job, Place()), unpacked(packed(job), Place())
    assert here.environment() == there.environment()
    measured = {name for name, metric in job.metrics.items() if metric.measured}
    context = RunDirectory(folder)
    beside = _repeatable(here.evaluate(_together(asked), context), measured)
    apart = [result for each in reversed(asked) for result in there.evaluate(Unit((each,)), context)]
    assert beside == _repeatable(apart, measured)


def declared_by(job: Any, bench: Bench[Any]) -> Mapping[str, Metric]:
    """The metrics that a successful result of the bench carries."""
    return job.measured_on(bench.environment()) if isinstance(job, Narrowing) else job.metrics


def _together(asked: Asked) -> Unit[Any]:
    return Unit(tuple(asked), 1, (0,) * len(asked))


def _repeatable(results: Iterable[Result], measured: set[str]) -> list[Any]:
    return sorted(
        (
            r.id,
            r.status,
            sorted((name, value) for name, value in r.metrics.items() if name not in measured),
            r.descriptor,
        )
        for r in results
    )


LAWS: Sequence[Callable[[Any, Asked, Path], None]] = (
    conforms,
    what_is_sent_to_a_worker_plans_the_same,
    each_candidate_has_one_result_with_the_declared_metrics,
    the_same_candidate_gives_the_same_bits,
)
"""Every check; the last two evaluate each candidate once and twice."""


def _is_plain(value: Any) -> bool:
    """Whether all values are of the very types that JSON is read as, and of no subclass, as torch's version is one."""
    if type(value) is dict:
        return all(type(key) is str and _is_plain(part) for key, part in value.items())
    if type(value) is list:
        return all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, float, str)
