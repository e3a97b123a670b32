"""What strategies propose and what jobs give, checked before the run goes on with it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Failure, Proposal, Result

_NUMBERS = {float, int, bool}


def proposed(strategy: object, answer: Any) -> tuple[Sequence[Proposal[Any]], Any]:
    """What a strategy's `ask` returned. Raises UsageError for anything but a list of proposals and a state."""
    if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], list | tuple):
        proposals, state = answer
        if all([isinstance(proposal, Proposal) for proposal in proposals]):
            return proposals, state
    found = " ".join(repr(answer).split())[:80]
    raise UsageError(
        f"strategy {type(strategy).__name__}: ask must return a list of Proposal and the state, but gave {found}"
    )


def guard(result: Result, names: Sequence[str]) -> Result:
    """A result as it may be recorded: its metrics as plain numbers, its payload as it will be read back.

    An ok one without all finite metrics, or with a payload that JSON cannot hold, becomes a failure that says which.
    Raises UsageError for a result whose other fields are not what `Result` says.
    """
    broken, metrics = [], result.metrics
    if result.status != "ok" or result.labels or result.error is not None or type(metrics) is not dict:
        _check_fields(result)
    if result.payload is not None:
        try:
            result = replace(result, payload=json.loads(json.dumps(result.payload, allow_nan=False)))
        except (TypeError, ValueError, OverflowError):
            broken = ["payload"]
    try:
        plain = _NUMBERS.issuperset(map(type, metrics.values())) and all(map(math.isfinite, metrics.values()))
    except OverflowError:
        plain = False
    if plain and not broken and (result.status != "ok" or all(map(metrics.__contains__, names))):
        return result
    missing = [name for name in names if name not in metrics]
    broken += [name for name, value in metrics.items() if not _is_finite(value)]
    kept = {name: _plain(value) for name, value in metrics.items() if _is_finite(value)}
    if result.status == "ok" and not missing and not broken:
        return replace(result, metrics=kept)
    if result.status != "ok":
        return replace(result, metrics=kept, payload=None)
    kind, which = ("missing_metric", missing) if missing else ("not_finite", broken)
    failure = Failure(kind, f"{kind}: {', '.join(which)}")
    return replace(result, status="failed", metrics=kept, payload=None, error=failure)


def _check_fields(result: Result) -> None:
    """Raises UsageError."""
    if not isinstance(result.metrics, Mapping):
        wrong = f"metrics is a {type(result.metrics).__name__}, not a dictionary of numbers by name"
    elif result.status not in ("ok", "failed"):
        wrong = f"status is {result.status!r}, not ok or failed"
    elif not (result.error is None or isinstance(result.error, Failure)):
        wrong = f"error is a {type(result.error).__name__}, not a Failure(kind, text)"
    elif result.labels and not all([isinstance(word, str) for word in (*result.labels, *result.labels.values())]):
        wrong = "labels is no dictionary of words by name"
    else:
        return
    raise UsageError(f"the job's Result for candidate {result.id}: {wrong}")


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except (TypeError, ValueError, OverflowError):
        return False


def _plain(value: Any) -> float:
    """The number as Python's own, which JSON can hold; those of numpy and torch lose nothing by it."""
    return value if type(value) in _NUMBERS else float(value)
