"""The root key `scalarize`: which metrics a run's reward is made of, and how."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evonas_cli.config.settings import nearest
from evonas_cli.core.errors import UsageError
from evonas_cli.core.scalarize import REWARD, Floor, Limit, Mixed, Reward, Weighted
from evonas_cli.core.types import Metric

KEYS: Mapping[str, tuple[str, ...]] = {
    "weighted": ("weights",),
    "mixed": ("a", "accuracy", "cost", "bounds"),
    "limit": ("accuracy", "cost", "limit"),
    "floor": ("accuracy", "cost", "bounds", "floor"),
}
"""The settings of each form, all of which must be given."""


def named(stated: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The metrics that a statement names, whether or not the statement is right otherwise."""
    if stated is None:
        return ()
    weights = stated.get("weights")
    names = [*(weights if isinstance(weights, Mapping) else ()), stated.get("accuracy"), stated.get("cost")]
    return tuple([name for name in names if isinstance(name, str)])


def reward(
    stated: Mapping[str, Any] | None, metrics: Mapping[str, Metric], deterministic: bool, offered: Sequence[str] = ()
) -> Reward | None:
    """The reward that a run computes; None where nothing is stated.

    `metrics` are those of the job's results, `offered` what the job could measure if it were asked.

    Raises UsageError for an unknown form, for settings that are missing, unknown or out of range, for a metric that the
    job does not measure, that is of the test part or has the wrong direction, and for one that is measured in a
    deterministic run.
    """
    if stated is None:
        return None
    if REWARD in metrics:
        raise UsageError(f"scalarize: the job has a metric named {REWARD} of its own; set scalarize=null")
    form = stated.get("form")
    if not isinstance(form, str) or form not in KEYS:
        raise UsageError(f"scalarize.form is {form!r}{nearest(str(form), KEYS)} (it may be {', '.join(KEYS)})")
    settings = {str(key): value for key, value in stated.items() if key != "form"}
    for key in settings:
        if key not in KEYS[form]:
            raise UsageError(f"scalarize: form {form} has no key {key}{nearest(key, KEYS[form])} "
                             f"(known: {', '.join(KEYS[form])})")  # fmt: skip
    for key in KEYS[form]:
        if key not in settings:
            raise UsageError(f"scalarize.{key} must be given: form {form} has the keys {', '.join(KEYS[form])}")
    for name in named(settings):
        if name not in metrics:
            known = sorted({*metrics, *offered})
            raise UsageError(f"scalarize: the job measures no {name}{nearest(name, known)} (known: {', '.join(known)})")
    return _FORMS[form](settings, metrics, deterministic)


def _weighted(settings: Mapping[str, Any], metrics: Mapping[str, Metric], deterministic: bool) -> Reward:
    weights = settings["weights"]
    if not isinstance(weights, Mapping) or not weights:
        raise UsageError(f"scalarize.weights is {weights!r}; it must name metrics with their weights, "
                         "such as {valid_error: 1.0, parameters: 1.0e-6}")  # fmt: skip
    found = {}
    for name, weight in weights.items():
        _metric("weights", name, metrics, deterministic)
        found[name] = _number(f"weights.{name}", weight)
        if found[name] <= 0:
            raise UsageError(f"scalarize.weights.{name} is {weight}; a weight must be above 0")
    return Weighted(found, frozenset(name for name in found if metrics[name].direction == "max"))


def _mixed(settings: Mapping[str, Any], metrics: Mapping[str, Metric], deterministic: bool) -> Reward:
    a = _number("a", settings["a"])
    if not 0 <= a <= 1:
        raise UsageError(f"scalarize.a is {settings['a']}; it must be from 0 to 1")
    return Mixed(*_pair(settings, metrics, deterministic), a, _bounds(settings["bounds"]))


def _limit(settings: Mapping[str, Any], metrics: Mapping[str, Metric], deterministic: bool) -> Reward:
    limit = _number("limit", settings["limit"])
    if limit <= 0:
        raise UsageError(f"scalarize.limit is {settings['limit']}; a cost is never negative, so it must be above 0")
    return Limit(*_pair(settings, metrics, deterministic), limit)


def _floor(settings: Mapping[str, Any], metrics: Mapping[str, Metric], deterministic: bool) -> Reward:
    floor = _number("floor", settings["floor"])
    return Floor(*_pair(settings, metrics, deterministic), _bounds(settings["bounds"]), floor)


_FORMS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Metric], bool], Reward]] = {
    "weighted": _weighted,
    "mixed": _mixed,
    "limit": _limit,
    "floor": _floor,
}


def _pair(settings: Mapping[str, Any], metrics: Mapping[str, Metric], deterministic: bool) -> tuple[str, str]:
    """The names of accuracy and cost, checked."""
    for key, direction, word in (("accuracy", "max", "more"), ("cost", "min", "less")):
        found = _metric(key, settings[key], metrics, deterministic)
        if found.direction != direction:
            fitting = sorted(name for name, metric in metrics.items() if metric.direction == direction)
            raise UsageError(f"scalarize.{key} is {settings[key]}; it must be a metric that {word} is better of "
                             f"({', '.join(fitting)})")  # fmt: skip
    return settings["accuracy"], settings["cost"]


def _metric(key: str, name: Any, metrics: Mapping[str, Metric], deterministic: bool) -> Metric:
    if name not in metrics:
        raise UsageError(f"scalarize.{key} is {name!r}; it must be the name of a metric")
    found = metrics[name]
    if found.test:
        raise UsageError(f"scalarize.{key}: {name} is measured on the test part, which no search may see")
    if found.measured and deterministic:
        raise UsageError(f"scalarize.{key}: {name} is measured, so the run could not resume exactly; "
                         "set deterministic=false to accept that")  # fmt: skip
    return found


def _bounds(value: Any) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise UsageError(f"scalarize.bounds is {value!r}; it must be two numbers, such as [0, 1.0e7]")
    lower, upper = (_number(f"bounds[{n}]", bound) for n, bound in enumerate(value))
    if lower < 0:
        raise UsageError(f"scalarize.bounds is {list(value)}; a cost is never negative, so the lower is at least 0")
    if not lower < upper:
        raise UsageError(f"scalarize.bounds is {list(value)}; the lower must be below the upper")
    return lower, upper


def _number(key: str, value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise UsageError(f"scalarize.{key} is {value!r}; it must be a number")
    return float(value)
