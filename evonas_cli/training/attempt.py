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
from evonas_cli.core.evaluating import Context
from evonas_cli.core.plan import PlanError
from evonas_cli.core.types import Candidate, Failure, Result
from evonas_cli.training.loop import Diverged

Measure: TypeAlias = Callable[[dict[str, str]], Mapping[str, float] | Failure]
"""Measures a candidate, adding labels to the dictionary that it is given."""

log = logging.getLogger(__name__)


def attempt(candidate: Candidate[Any], context: Context, measure: Measure) -> Result:
    """The result whose metrics `measure` returns; what it raises becomes a failure, or an EnvironmentFailure.

    Failures: those that `measure` returns, unbuildable, diverged, oom after a second try, and error, whose traceback
    goes to the candidate's folder. Expected errors pass through. Raises EnvironmentFailure for disk and device errors.
    """
    started = perf_counter()
    labels: dict[str, str] = {}
    outcome = _once(candidate, context, measure, labels)
    if isinstance(outcome, Failure) and outcome.kind == "oom":
        log.warning("candidate %d ran out of memory, trying once more", candidate.id)
        free_memory()
        outcome = _once(candidate, context, measure, labels)
    seconds = perf_counter() - started
    if isinstance(outcome, Failure):
        return Result(candidate.id, "failed", error=outcome, seconds=seconds, labels=labels)
    return Result(candidate.id, "ok", metrics=outcome, seconds=seconds, labels=labels)


def _once(
    candidate: Candidate[Any], context: Context, measure: Measure, labels: dict[str, str]
) -> Mapping[str, float] | Failure:
    try:
        return measure(labels)
    except EvonasError:
        raise
    except OSError as error:
        raise EnvironmentFailure(f"candidate {candidate.id} stopped: {one_line(error)}") from error
    except PlanError as error:
        return Failure("unbuildable", one_line(error))
    except Diverged as error:
        return Failure("diverged", one_line(error))
    except Exception as error:
        if is_out_of_memory(error):
            return Failure("oom", one_line(error))
        if is_device_error(error):
            raise EnvironmentFailure(f"candidate {candidate.id} stopped, device: {one_line(error)}") from error
        _write_traceback(candidate, context)
        return Failure("error", f"{type(error).__name__}: {one_line(error)}")


def free_memory() -> None:
    """Gives back what an attempt that failed has left. Called when its error is gone, which holds all of it."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _write_traceback(candidate: Candidate[Any], context: Context) -> None:
    """traceback.txt in the candidate's folder. Called while the exception is handled."""
    try:
        folder = context.folder(candidate.id)
        if folder is not None:
            (folder / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
    except OSError as error:
        raise EnvironmentFailure(f"candidate {candidate.id} stopped: {one_line(error)}") from error


def is_out_of_memory(error: Exception) -> bool:
    """Whether the device, or the CPU's allocator, had no room."""
    texts = (
        "DefaultCPUAllocator: can't allocate",
        "DefaultCPUAllocator: not enough memory",
        "CUBLAS_STATUS_ALLOC_FAILED",
        "CUDNN_STATUS_ALLOC_FAILED",
    )
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(text in str(error) for text in texts)


def is_refused(error: Exception) -> bool:
    """Whether torch or cuDNN offers no kernel for such shapes or for so many numbers; the device is as it was."""
    texts = ("CUDNN_STATUS_NOT_SUPPORTED", "CUDNN_STATUS_BAD_PARAM", "canUse32BitIndexMath")
    return isinstance(error, RuntimeError) and any(text in str(error) for text in texts)


def is_device_error(error: Exception) -> bool:
    """Whether the CUDA device failed, after which this process can use it no more."""
    if is_out_of_memory(error) or is_refused(error):
        return False
    texts = ("CUDA error", "cuDNN error", "CUBLAS_STATUS")
    known = isinstance(error, RuntimeError) and any(text in str(error) for text in texts)
    return isinstance(error, torch.AcceleratorError) or known


def one_line(error: BaseException) -> str:
    """The message on one line, at most 300 characters."""
    return " ".join(str(error).split())[:300]
