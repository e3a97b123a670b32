"""One candidate's evaluation on a device, tried twice if memory runs out, and what each kind of error means."""

from __future__ import annotations

import gc
import logging
import traceback
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, TypeAlias

import torch

from evonas_cli.core.errors import EnvironmentFailure, EvonasError
from evonas_cli.core.protocols import Context
from evonas_cli.core.types import Candidate, Failure, Result
from evonas_cli.training.loop import Diverged
from evonas_cli.training.workbench import is_device_error, is_out_of_memory, one_line

Measure: TypeAlias = Callable[[], Mapping[str, float]]

log = logging.getLogger(__name__)


def attempt(candidate: Candidate[Any], context: Context, measure: Measure) -> Result:
    """The result whose metrics `measure` returns; what it raises becomes a failure, or an EnvironmentFailure.

    Failures: diverged, oom after a second try, and error, whose traceback goes to the candidate's folder. Expected
    errors pass through. Raises EnvironmentFailure for disk and device errors.
    """
    started = perf_counter()
    outcome = _once(candidate, context, measure)
    if isinstance(outcome, Failure) and outcome.kind == "oom":
        log.warning("candidate %d ran out of memory, trying once more", candidate.id)
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        outcome = _once(candidate, context, measure)
    seconds = perf_counter() - started
    if isinstance(outcome, Failure):
        return Result(candidate.id, "failed", error=outcome, seconds=seconds)
    return Result(candidate.id, "ok", metrics=outcome, seconds=seconds)


def _once(candidate: Candidate[Any], context: Context, measure: Measure) -> Mapping[str, float] | Failure:
    try:
        return measure()
    except EvonasError:
        raise
    except OSError as error:
        raise EnvironmentFailure(f"candidate {candidate.id} stopped: {one_line(error)}") from error
    except Diverged as error:
        return Failure("diverged", one_line(error))
    except Exception as error:
        if is_out_of_memory(error):
            return Failure("oom", one_line(error))
        if is_device_error(error):
            raise EnvironmentFailure(f"candidate {candidate.id} stopped, device: {one_line(error)}") from error
        _write_traceback(candidate, context)
        return Failure("error", f"{type(error).__name__}: {one_line(error)}")


def _write_traceback(candidate: Candidate[Any], context: Context) -> None:
    """traceback.txt in the candidate's folder. Called while the exception is handled."""
    try:
        folder = context.folder(candidate.id)
        if folder is not None:
            (folder / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
    except OSError as error:
        raise EnvironmentFailure(f"candidate {candidate.id} stopped: {one_line(error)}") from error
