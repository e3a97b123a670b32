"""One candidate's evaluation on a device, tried again if memory runs out, and what each kind of error means."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any, TypeAlias

import torch

from evonas_cli.core.blame import described, keep_traceback
from evonas_cli.core.errors import EnvironmentFailure, EvonasError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.halting import Halt
from evonas_cli.core.types import LOST, Candidate, Failure, Heir, Result
from evonas_cli.network.plan import PlanError
from evonas_cli.training.checkpoint import Lost
from evonas_cli.training.device.errors import is_device_error, is_out_of_memory, one_line
from evonas_cli.training.exercise import Diverged, Exercise, Outcome
from evonas_cli.training.loop import Member, fit
from evonas_cli.training.reporter import Reporter

Noted: TypeAlias = dict[str, list[float | None]]
"""Learning curves, columns by name."""
Measure: TypeAlias = Callable[[dict[str, str], Noted], Mapping[str, float] | Failure]
"""Measures a candidate, adding labels and learning curves to the dictionaries that it is given."""

log = logging.getLogger(__name__)


def attempt(candidate: Candidate[Any], context: Context, measure: Measure, frugal: Measure | None = None) -> Result:
    """The result whose metrics `measure` returns; what it raises becomes a failure, or an EnvironmentFailure.

    Where memory does not suffice twice, `frugal` measures, which takes less of it and says so in a label.

    Failures: those that `measure` returns, unbuildable, diverged, oom after the last try, and error, whose traceback
    goes to the candidate's folder; and for an heir lost, when the state that it continues is. Expected errors pass
    through. Raises EnvironmentFailure for disk and device errors, and where no heir continues a lost state.
    """
    started = perf_counter()
    labels: dict[str, str] = {}
    curves: Noted = {}
    tries = [(measure, ""), (measure, "ran out of memory, trying once more")]
    if frugal is not None:
        tries.append((frugal, "ran out of memory twice, trying once more in micro-batches"))
    for measured, why in tries:
        if why:
            log.warning("candidate %d %s", candidate.id, why)
            free_memory()
        outcome = _once(candidate, context, partial(measured, labels, curves))
        if not isinstance(outcome, Failure) or outcome.kind != "oom":
            break
    seconds = perf_counter() - started
    if isinstance(outcome, Failure):
        return Result(candidate.id, "failed", error=outcome, seconds=seconds, labels=labels, curves=curves)
    return Result(candidate.id, "ok", metrics=outcome, seconds=seconds, labels=labels, curves=curves)


def _once(
    candidate: Candidate[Any], context: Context, measured: Callable[[], Mapping[str, float] | Failure]
) -> Mapping[str, float] | Failure:
    try:
        return measured()
    except Lost as error:
        if isinstance(candidate, Heir):
            return Failure(LOST, error.reason)
        raise EnvironmentFailure(str(error)) from error
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
        keep_traceback(candidate.id, context)
        return Failure("error", described(error))


def fitted(
    make: Callable[[Reporter], Exercise], members: Sequence[Member], reporter: Reporter, halt: Halt
) -> list[Outcome]:
    """The outcomes of the exercise that `make` returns (`loop.fit`); `reporter` hears how it goes.

    Checkpoints stay where the machine, a setting or `halt` ended the training, and go where a candidate did.
    """
    try:
        return fit(make(reporter), members, reporter, halt)
    except (EvonasError, OSError):
        raise
    except Exception as error:
        if not is_device_error(error):
            for member in members:
                member.checkpoint.discard()
        raise


def free_memory() -> None:
    """Gives back what an attempt that failed has left. Called when its error is gone, which holds all of it."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
