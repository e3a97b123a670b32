"""What a job evaluates together, for all evaluators alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from evonas_cli.core.evaluating import Concurrent, Context, Foreseeing, Job, Stacking
from evonas_cli.core.types import Candidate, Json, Result, Unit

G = TypeVar("G")


def divide(job: Job[G], asked: Sequence[Candidate[G]], environment: Mapping[str, Json]) -> list[Unit[G]]:
    """The units of an ask: those that the job names, or each candidate for itself."""
    if len(asked) > 1 and isinstance(job, Stacking):
        return job.units(asked, environment)
    return [Unit((candidate,)) for candidate in asked]


def work(job: Job[G], unit: Unit[G], environment: Mapping[str, Json]) -> float | None:
    """How much the unit has to do, if the job knows."""
    return job.work(unit, environment) if isinstance(job, Foreseeing) else None


def abreast(job: Job[G], environment: Mapping[str, Json]) -> int:
    """How many candidates of different programs the job wants at once."""
    return job.abreast(environment) if isinstance(job, Concurrent) else 1


def merged(units: Sequence[Unit[G]]) -> Unit[G]:
    """Units of one place as one, whose programs run at the same time."""
    if len(units) == 1:
        return units[0]
    candidates = tuple([candidate for unit in units for candidate in unit.candidates])
    return Unit(candidates, 1, (0,) * len(candidates))


def evaluate(job: Job[G], unit: Unit[G], context: Context) -> Iterator[Result]:
    """A result for each candidate of the unit."""
    if unit.width > 1 and isinstance(job, Stacking):
        return job.together(unit, context)
    return job(unit.candidates, context)
