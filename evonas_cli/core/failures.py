"""The kinds of failure that a result may have, and which of them say nothing about the candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CANDIDATE, MACHINE = "candidate", "machine"

FAILURES: Mapping[str, str] = {
    "unbuildable": CANDIDATE,  # the genome has no network for this task, or its settings no strategy
    "over_cap": CANDIDATE,  # more parameters or multiply-adds than the trainer allows
    "refused": CANDIDATE,  # violates a constraint on what is known before training
    "diverged": CANDIDATE,  # a loss is not finite
    "error": CANDIDATE,  # any other exception of the evaluation
    "missing_metric": CANDIDATE,  # an objective is absent
    "not_finite": CANDIDATE,  # a metric is no number, or the payload no JSON
    "oom": MACHINE,  # out of memory, twice, and a training a third time in micro-batches
    "timeout": MACHINE,  # evaluator.timeout seconds are over
    "crashed": MACHINE,  # the candidate ended its workers
}
"""Who decided about each kind. What the machine decided may come out differently when it is repeated."""

MACHINE_FAILURES = frozenset(kind for kind, owner in FAILURES.items() if owner == MACHINE)

MICRO_BATCHES = "micro_batches"
"""The label of a result whose training ran out of memory twice, and then took each batch in so many parts. It has other
last bits, and where batches are normalised other statistics, than the training that was configured."""


def machine_decided(entry: Mapping[str, Any]) -> bool:
    """Whether a record's outcome may be another one when it is evaluated again, since memory or time were short.

    >>> machine_decided({"status": "failed", "error": {"kind": "oom", "text": "no room"}})
    True
    """
    return entry.get("error", {}).get("kind") in MACHINE_FAILURES or MICRO_BATCHES in entry.get("labels", ())
