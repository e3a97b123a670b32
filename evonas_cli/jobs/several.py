"""A run's own job together with further jobs: each candidate goes to the job that its proposal names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from evonas_cli.core.evaluating import Beside, Context, Foreseeing, Job, Placed, Stacking
from evonas_cli.core.types import Candidate, Json, Result, Unit


class Several:
    """`own` evaluates candidates of the job "", `others` those of the job that they have as a name.

    Metrics, objectives and every capability that is not dispatched here are those of `own`. A further job's environment
    stands under `jobs` in the run's; one that is `Beside` is told the environment of `own` before its first candidate.
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

    def environment(self) -> dict[str, Json]:
        """The own job's, and under `jobs` those of the others by name."""
        return {**self._environments[""], "jobs": {name: self._environments[name] for name in self._others}}

    def __call__(self, candidates: Sequence[Candidate[Any]], context: Context) -> Iterator[Result]:
        """A result for each candidate, from its own job."""
        for name, asked in _by_job(candidates).items():
            yield from self._job(name)(asked, context)

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

    def together(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """As the job of the unit's candidates, which is one."""
        job: Any = self._job(unit.candidates[0].proposal.job)
        yield from job.together(unit, context)

    def work(self, unit: Unit[Any], environment: Mapping[str, Json]) -> float | None:
        """As the job of the unit's candidates, where it knows."""
        name = unit.candidates[0].proposal.job
        job = self._others.get(name, self._own)
        return job.work(unit, _within(environment, name)) if isinstance(job, Foreseeing) else None

    def _job(self, name: str) -> Any:
        """The job, which knows by now what it is beside."""
        if not name:
            return self._own
        _ = self._environments
        return self._others[name]

    @cached_property
    def _environments(self) -> dict[str, dict[str, Json]]:
        own = self._own.environment()
        found = {"": own}
        for name, job in self._others.items():
            if isinstance(job, Beside):
                job.beside(own)
            found[name] = job.environment()
        return found


def _by_job(candidates: Sequence[Candidate[Any]]) -> dict[str, list[Candidate[Any]]]:
    found: dict[str, list[Candidate[Any]]] = {}
    for candidate in candidates:
        found.setdefault(candidate.proposal.job, []).append(candidate)
    return found


def _within(environment: Mapping[str, Any], name: str) -> Mapping[str, Json]:
    """What one job's own environment is within that of the run."""
    within: Mapping[str, Json] = environment["jobs"][name] if name else environment
    return within
