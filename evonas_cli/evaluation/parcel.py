"""A job as it is sent to worker processes: pickled, which its settings and those of its parts must allow."""

from __future__ import annotations

import pickle
from typing import Any

from evonas_cli.core.blame import told
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Bench, Job, Place, opened


def packed(job: Job[Any]) -> bytes:
    """The job as bytes. Raises UsageError for a job that pickle does not take."""
    try:
        return pickle.dumps(job)
    except Exception as error:  # pickle raises what the parts raise
        raise UsageError(
            f"job {type(job).__name__} cannot be sent to worker processes ({told(error)}); keep in the attributes of "
            "the job, its space and its data set only what can be pickled (no lambda, no open file), or evaluate in "
            "this process with evaluator=serial"
        ) from error


def unpacked(parcel: bytes, place: Place) -> Bench[Any]:
    """The bench that the job opens at the place. The parcel must come from `packed`."""
    job: Job[Any] = pickle.loads(parcel)
    return opened(job, place)
