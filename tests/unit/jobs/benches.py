"""The bench of a job under test, and candidates as one unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from evonas_cli.core.evaluating import Place
from evonas_cli.core.types import Candidate, Unit

_OPENED: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def bench(job: Any) -> Any:
    """The job's bench, which is opened once, as in a worker."""
    if job not in _OPENED:
        _OPENED[job] = job.open(Place())
    return _OPENED[job]


def unit(candidates: Sequence[Candidate[Any]]) -> Unit[Any]:
    """Each as a program of its own."""
    return Unit(tuple(candidates), 1, (0,) * len(candidates))
