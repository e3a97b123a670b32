"""What a job evaluates together, and what becomes of a candidate for which it raises; for all evaluators alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import TypeVar

from evonas_cli.core.blame import described, keep_traceback, told
from evonas_cli.core.errors import EnvironmentFailure, EvonasError, UsageError
from evonas_cli.core.evaluating import Concurrent, Context, Foreseeing, Job, Stacking
from evonas_cli.core.faults import is_device_error, is_out_of_memory
from evonas_cli.core.plan import PlanError
from evonas_cli.core.types import Candidate, Failure, Json, Result, Unit

G = TypeVar("G")


def divide(job: Job[G], asked: Sequence[Candidate[G]], environment: Mapping[str, Json]) -> list[Unit[G]]:
    """The units of an ask: those that the job names, or each candidate for itself.

    Raises UsageError where the job's are no partition.
    """
    if len(asked) < 2 or not isinstance(job, Stacking):
        return [Unit((candidate,)) for candidate in asked]
    units = job.units(asked, environment)
    if sorted(candidate.id for unit in units for candidate in unit.candidates) != sorted(each.id for each in asked):
        raise UsageError(f"{type(job).__name__}.units must put each candidate that it is given into one unit")
    return units


def work(job: Job[G], unit: Unit[G], environment: Mapping[str, Json]) -> tuple[float, ...] | None:
    """What the unit has to do, if the job knows."""
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
    """A result for each candidate of the unit, each once.

    What the job raises while one candidate is left is that candidate's failure: `unbuildable`, or `oom` or `error`,
    whose traceback goes to the candidate's folder. While several are left, each half of them is evaluated for itself.
    Expected errors pass. Raises EnvironmentFailure for errors of the disk and the device, UsageError for a job that
    gives other results.
    """
    missing = {candidate.id for candidate in unit.candidates}
    results, started = _answers(job, unit, context, missing), perf_counter()
    failed: Result | None = None
    try:
        for result in results:
            yield result
            started = perf_counter()
    except EvonasError:
        raise
    except Exception as error:
        if not missing:
            raise
        if isinstance(error, OSError) or is_device_error(error):
            raise EnvironmentFailure(f"candidate {min(missing)} stopped: {described(error)}") from error
        if len(missing) == 1:
            failed = _failed(min(missing), error, context, perf_counter() - started)
    if failed is not None:  # outside of `except`: the error holds all that the evaluation had in memory
        yield failed
    elif missing:
        for part in unit.among(missing).bisected():
            yield from evaluate(job, part, context)


def _answers(job: Job[G], unit: Unit[G], context: Context, missing: set[int]) -> Iterator[Result]:
    """What the job gives, taken out of what is `missing`. Raises UsageError for what a job must not give."""
    name = type(job).__name__
    together = unit.width > 1 and isinstance(job, Stacking)
    answers = job.together(unit, context) if together else job(unit.candidates, context)  # type: ignore[attr-defined]
    if not isinstance(answers, Iterable):
        raise UsageError(f"the job {name} returned {type(answers).__name__}; it must yield one Result per candidate")
    for result in answers:
        if not isinstance(result, Result):
            raise UsageError(f"the job {name} gave a {type(result).__name__}; it must yield one Result per candidate")
        if result.id not in missing:
            ids = [candidate.id for candidate in unit.candidates]
            why = "a second result" if result.id in ids else "a result"
            raise UsageError(f"the job {name} gave {why} for candidate {result.id!r} when asked for {ids}")
        missing.remove(result.id)
        yield result
    if missing:
        raise UsageError(f"the job {name} gave no result for candidate {min(missing)}; yield one for each candidate")


def _failed(id: int, error: Exception, context: Context, seconds: float) -> Result:
    if isinstance(error, PlanError):
        return Result(id, "failed", error=Failure("unbuildable", told(error)), seconds=seconds)
    keep_traceback(id, context)
    kind = "oom" if is_out_of_memory(error) else "error"
    return Result(id, "failed", error=Failure(kind, described(error)), seconds=seconds)
