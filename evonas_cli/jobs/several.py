"""A run's own job together with further jobs: each candidate goes to the job that its proposal names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Bench, Beside, Context, Foreseeing, Job, Place, Stacking, Stoppable, opened
from evonas_cli.core.sources import Placed
from evonas_cli.core.types import Candidate, Json, Result, Unit
from evonas_cli.network.task import Task


def task_beside(environment: Mapping[str, Json], job: str) -> Task:
    """The task of the run's own job, for the further `job`. Raises UsageError where the own job has none."""
    task = environment.get("task")
    if task is None:
        raise UsageError(f"the job {job} needs a task, which the run's own job does not have; use job=train")
    return Task.from_json(task)


class Several:
    """`own` evaluates candidates of the job "", `others` those of the job that they have as a name.

    Metrics, objectives and every capability that is not dispatched here are those of `own`. A further job's environment
    stands under `jobs` in the run's; one that is `Beside` is told the environment of `own` before it opens a bench.
    """

    def __init__(self, own: Job[Any], others: Mapping[str, Any]) -> None:
        self._own, self._others = own, dict(others)

    def __getattr__(self, name: str) -> Any:
        if name[0] == "_":
            raise AttributeError(name)
        return getattr(self._own, name)

    @property
    def needs(self) -> tuple[type, ...]:
        """What any of the jobs needs."""
        return tuple(dict.fromkeys(need for job in (self._own, *self._others.values()) for need in job.needs))

    def check_there(self) -> None:
        """As all the jobs that have data; a further job that is told of the own one's has none of its own."""
        for job in (self._own, *self._others.values()):
            if isinstance(job, Placed) and not isinstance(job, Beside):
                job.check_there()

    def open(self, place: Place) -> Benches:
        """A bench for each of the jobs."""
        own = opened(self._own, place)
        environment = own.environment()
        others = {}
        for name, job in self._others.items():
            others[name] = opened(job.beside(environment) if isinstance(job, Beside) else job, place)
        return Benches(own, environment, others)

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        """As each job divides its candidates; one at a time where it does not say."""
        units: list[Unit[Any]] = []
        for name, own in _by_job(asked).items():
            job = self._others.get(name, self._own)
            if isinstance(job, Stacking) and len(own) > 1:
                units += job.units(own, _within(environment, name))
            else:
                units += [Unit((candidate,)) for candidate in own]
        return sorted(units, key=lambda unit: unit.candidates[0].id)

    def work(self, unit: Unit[Any], environment: Mapping[str, Json]) -> float | None:
        """As the job of the unit's candidates, where it knows."""
        name = unit.candidates[0].proposal.job
        job = self._others.get(name, self._own)
        return job.work(unit, _within(environment, name)) if isinstance(job, Foreseeing) else None

    def epochs(self, unit: Unit[Any], environment: Mapping[str, Json]) -> int | None:
        """As the job of the unit's candidates, where it knows."""
        name = unit.candidates[0].proposal.job
        job = self._others.get(name, self._own)
        return job.epochs(unit, _within(environment, name)) if isinstance(job, Stoppable) else None


class Benches:
    """A bench for each job of a run. Every capability that is not dispatched here is that of the own job's bench."""

    def __init__(self, own: Bench[Any], environment: Mapping[str, Json], others: Mapping[str, Bench[Any]]) -> None:
        """`environment` is that of `own`."""
        self._own, self._environment, self._others = own, environment, others

    def __getattr__(self, name: str) -> Any:
        if name[0] == "_":
            raise AttributeError(name)
        return getattr(self._own, name)

    def environment(self) -> dict[str, Json]:
        """The own job's, and under `jobs` those of the others by name."""
        return {**self._environment, "jobs": {name: bench.environment() for name, bench in self._others.items()}}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """A result for each candidate, from the bench of its own job."""
        for name, asked in _by_job(unit.candidates).items():
            bench = self._others[name] if name else self._own
            yield from bench.evaluate(unit.among({candidate.id for candidate in asked}), context)


def _by_job(candidates: Sequence[Candidate[Any]]) -> dict[str, list[Candidate[Any]]]:
    found: dict[str, list[Candidate[Any]]] = {}
    for candidate in candidates:
        found.setdefault(candidate.proposal.job, []).append(candidate)
    return found


def _within(environment: Mapping[str, Any], name: str) -> Mapping[str, Json]:
    """What one job's own environment is within that of the run."""
    within: Mapping[str, Json] = environment["jobs"][name] if name else environment
    return within
