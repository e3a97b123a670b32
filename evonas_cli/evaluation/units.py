"""What a job evaluates together, and what becomes of a candidate for which a bench raises; for all evaluators alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, TypeVar

from evonas_cli.core.blame import described, keep_traceback, told
from evonas_cli.core.errors import EnvironmentFailure, EvonasError, UsageError
from evonas_cli.core.evaluating import Bench, Concurrent, Context, Foreseeing, Job, Stacking
from evonas_cli.core.faults import is_device_error, is_out_of_memory
from evonas_cli.core.types import Candidate, Failure, Json, Result, Unit
from evonas_cli.network.plan import PlanError

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


def evaluate(bench: Bench[G], unit: Unit[G], context: Context) -> Iterator[Result]:
    """A result for each candidate of the unit, each once.

    What the bench raises while one candidate is left is that candidate's failure: `unbuildable`, or `oom` or `error`,
    whose traceback goes to the candidate's folder. While several are left, each half of them is evaluated for itself.
    Expected errors pass. Raises EnvironmentFailure for errors of the disk and the device, UsageError for a bench
    that gives other results.
    """
    asked, started = unit.candidates, perf_counter()
    missing = {asked[0].id} if len(asked) == 1 else {candidate.id for candidate in asked}
    failed: Result | None = None
    try:
        answers = bench.evaluate(unit, context)
        if not hasattr(answers, "__iter__"):
            raise _refusal(bench, unit, answers)
        for result in answers:
            if type(result) is not Result or result.id not in missing:
                raise _refusal(bench, unit, result)
            missing.remove(result.id)
            yield result
            if missing:
                started = perf_counter()
        if missing:
            raise _refusal(bench, unit, None)
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
            yield from evaluate(bench, part, context)


def _refusal(bench: Bench[G], unit: Unit[G], answer: Any) -> UsageError:
    """What is wrong with an answer of a bench; None: results are missing."""
    ids = [candidate.id for candidate in unit.candidates]
    if answer is None:
        found = "no result, or too few"
    elif not isinstance(answer, Result):
        found = f"a {type(answer).__name__}"
    else:
        found = f"a second result for candidate {answer.id}" if answer.id in ids else f"a result for {answer.id!r}"
    asked = f"candidate {ids[0]}" if len(ids) == 1 else f"candidates {', '.join(map(str, ids))}"
    name = type(bench).__name__
    return UsageError(f"{name}.evaluate: asked for {asked} it gave {found}; it must yield one Result for each")


def _failed(id: int, error: Exception, context: Context, seconds: float) -> Result:
    if isinstance(error, PlanError):
        return Result(id, "failed", error=Failure("unbuildable", told(error)), seconds=seconds)
    keep_traceback(id, context)
    kind = "oom" if is_out_of_memory(error) else "error"
    return Result(id, "failed", error=Failure(kind, described(error)), seconds=seconds)
