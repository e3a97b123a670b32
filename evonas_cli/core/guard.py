"""What strategies propose and what jobs give, checked before the run uses it.

No result of an evaluation can stop the search or make the journal unreadable.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from evonas_cli.core import strict_json
from evonas_cli.core.curves import recordable
from evonas_cli.core.errors import UsageError
from evonas_cli.core.scalarize import REWARD, Reward
from evonas_cli.core.strict_json import is_number, printable
from evonas_cli.core.types import Constraint, Descriptor, Failure, Json, Objective, Proposal, Result

LONGEST_PAYLOAD = 1 << 26
"""Characters of a payload as JSON."""
LONGEST_DESCRIPTOR = 256
"""Numbers of a behaviour descriptor."""
_NUMBERS = {float, int, bool}
_AGE = 1e12  # seconds: nothing takes that long


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


def required(
    objectives: Sequence[Objective], constraints: Sequence[Constraint], reward: Reward | None = None
) -> list[str]:
    """The metrics that each result of a run's own job must have; a reward stands for what it is made of."""
    sources = () if reward is None else reward.sources
    named = [*(one.name for one in objectives), *(one.metric for one in constraints), *sources]
    return [name for name in dict.fromkeys(named) if reward is None or name != REWARD]


def guard(result: Result, names: Sequence[str] = (), reward: Reward | None = None) -> Result:
    """A result as it may be recorded: its metrics as plain numbers, its payload as it will be read back.

    With `reward` an ok result gets this metric, in the place of any that it had.

    An ok one becomes a failure that says why when it lacks a metric of these `names`, when a metric is no finite number
    or its name cannot be recorded, when JSON cannot hold the payload, and when a descriptor is no list of finite
    numbers, `LONGEST_DESCRIPTOR` at most. Words that UTF-8 cannot hold are written with escapes such as \\udc80. Curves
    are thinned, and a number in them that is not finite becomes None. Raises UsageError for a result whose status,
    metrics, error or curves are not what `Result` says.
    """
    if reward is None and _is_plain(result, names):
        return result
    broken: list[str] = []
    _check_fields(result)
    result = _worded(result)
    if result.curves:
        result = _curved(result)
    if reward is not None:
        result = _rewarded(result, reward)
    if result.payload is not None:
        try:
            result = replace(result, payload=_read_back(result.payload))
        except (TypeError, ValueError, OverflowError, RecursionError):
            broken = ["payload"]
    if type(result.descriptor) is not tuple or result.descriptor:
        point = _point(result.descriptor)
        broken += ["descriptor"] if point is None else []
        result = replace(result, descriptor=point or ())
    metrics = result.metrics
    if not broken and _are_plain(metrics) and (result.status != "ok" or all(map(metrics.__contains__, names))):
        return result
    missing = [name for name in names if name not in metrics]
    broken += [printable(name) for name, value in metrics.items() if not _fits(name, value)]
    kept = {name: _plain(value) for name, value in metrics.items() if _fits(name, value)}
    if result.status == "ok" and not missing and not broken:
        return replace(result, metrics=kept)
    if result.status != "ok":
        return replace(result, metrics=kept, payload=None, descriptor=())
    kind, which = ("missing_metric", missing) if missing else ("not_finite", broken)
    failure = Failure(kind, f"{kind}: {', '.join(which)}")
    return replace(result, status="failed", metrics=kept, payload=None, error=failure, descriptor=())


def _rewarded(result: Result, reward: Reward) -> Result:
    """The result with its reward; as it is where a source is missing or no number, which the guard finds."""
    metrics = {name: value for name, value in result.metrics.items() if name != REWARD}
    if result.status != "ok" or not all(name in metrics and _fits(name, metrics[name]) for name in reward.sources):
        return result
    for name in reward.costs:
        if metrics[name] < 0:
            text = f"{name} is {metrics[name]:.12g}, and a cost of the reward is never negative"
            return replace(result, status="failed", payload=None, error=Failure("error", text))
    return replace(result, metrics={**metrics, REWARD: reward.value(metrics)})


def _is_plain(result: Result, names: Sequence[str]) -> bool:
    """Whether the result is an ok one of metrics alone, all of them as they may be recorded: found out at once."""
    metrics = result.metrics
    return (
        result.status == "ok"
        and type(metrics) is dict
        and result.error is None
        and result.payload is None
        and not (result.labels or result.curves)
        and type(result.descriptor) is tuple
        and not result.descriptor
        and type(result.seconds) is float
        and 0 <= result.seconds < _AGE
        and _are_plain(metrics)
        and all(map(metrics.__contains__, names))
    )


def _check_fields(result: Result) -> None:
    """Raises UsageError."""
    if not isinstance(result.metrics, Mapping):
        wrong = f"metrics is a {type(result.metrics).__name__}, not a dictionary of numbers by name"
    elif result.status not in ("ok", "failed"):
        wrong = f"status is {result.status!r}, not ok or failed"
    elif not (result.error is None or isinstance(result.error, Failure)):
        wrong = f"error is a {type(result.error).__name__}, not a Failure(kind, text)"
    elif not isinstance(result.labels, Mapping):
        wrong = f"labels is a {type(result.labels).__name__}, not a dictionary of words by name"
    else:
        return
    raise UsageError(f"the job's Result for candidate {result.id}: {wrong}")


def _curved(result: Result) -> Result:
    """The result with curves as a journal gives them back. Raises UsageError."""
    try:
        return replace(result, curves=recordable(result.curves))
    except ValueError as error:
        raise UsageError(f"the job's Result for candidate {result.id}: {error}") from error


def _read_back(payload: Json) -> Any:
    """The payload as a journal gives it back. Raises ValueError, TypeError or RecursionError for what is no JSON."""
    text = json.dumps([payload], allow_nan=False)  # in a list, since it will be read within a journal entry
    if len(text) > LONGEST_PAYLOAD:
        raise ValueError("too long")
    return strict_json.parse(text)[0]


def _point(descriptor: Any) -> Descriptor | None:
    """The descriptor as plain floats; None for what is no sequence of finite numbers, or has too many."""
    try:
        point = tuple([float(number) for number in descriptor])
    except (TypeError, ValueError, OverflowError):
        return None
    return point if len(point) <= LONGEST_DESCRIPTOR and all(map(math.isfinite, point)) else None


def _worded(result: Result) -> Result:
    """The result with words that can be recorded, a reason for a failure, and a duration; itself where it has them."""
    error = result.error
    if error is None and result.status != "ok":
        error = Failure("error", "the job gives no reason")
    if error is not None and not (_is_word(error.kind) and _is_word(error.text)):
        error = Failure(printable(error.kind), printable(error.text))
    labels = result.labels
    if not all(_is_word(name) and _is_word(text) for name, text in labels.items()):
        labels = {printable(name): printable(text) for name, text in labels.items()}
    seconds = result.seconds if _is_duration(result.seconds) else 0.0
    if error is result.error and labels is result.labels and seconds is result.seconds:
        return result
    return replace(result, error=error, labels=labels, seconds=seconds)


def _is_word(text: object) -> bool:
    return type(text) is str and (text.isascii() or text == printable(text))


def _is_duration(seconds: object) -> bool:
    return isinstance(seconds, int | float) and 0 <= seconds < _AGE


def _are_plain(metrics: Mapping[str, float]) -> bool:
    """Whether all metrics are finite numbers with names in ASCII: the usual case, found out at once."""
    try:
        found = metrics.values()
        return _NUMBERS.issuperset(map(type, found)) and all(map(math.isfinite, found)) and "".join(metrics).isascii()
    except (TypeError, OverflowError):
        return False


def _fits(name: object, value: Any) -> bool:
    """Whether it is a finite number, under a name that can be recorded."""
    try:
        return _is_word(name) and math.isfinite(value) and is_number(_plain(value))
    except (TypeError, ValueError, OverflowError):
        return False


def _plain(value: Any) -> float:
    """The number as Python's own, which JSON can hold; those of numpy and torch lose nothing by it."""
    return value if type(value) in _NUMBERS else float(value)
