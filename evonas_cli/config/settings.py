"""What keys of a configuration may hold: groups, root keys with their types and ranges, conversion to a type hint."""

from __future__ import annotations

import difflib
import math
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from evonas_cli.core.errors import UsageError

DIRECTIVE = re.compile(r"_[a-z]+_")
"""Keys of this form speak to the runner, not to a constructor."""
GROUPS = ("space", "strategy", "dataset", "trainer", "job", "evaluator", "tracker")
EXPERIMENT = "experiment"
"""The group of whole settings: a file that chooses options of the other groups and sets their keys."""
PATHS = ("dataset.root", "dataset.path", "job.path", "job.latency_table", "run.outputs", "start_from", "cache")
"""Keys that hold a path: `~` begins a home folder, and an override's value is the path as it is written."""


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?` for the most similar known word other than the word itself, or nothing."""
    hits = difflib.get_close_matches(word, [one for one in known if one != word], 1, 0.5)
    return f"; did you mean {hits[0]}?" if hits else ""


_SECTIONS = ("budget", "run", "snapshot")
OPEN = ("constraints", "jobs")
"""Root keys that hold names of the user's choice."""
_ROOT: dict[str, Any] = {
    "seed": int,
    "window": int,
    "objectives": list[str] | None,
    "constraints": Mapping[str, Any],
    "reference": Mapping[str, Any] | None,
    "scalarize": Mapping[str, Any] | None,
    "jobs": Mapping[str, Any],
    "start_from": str | Mapping[str, Any] | None,
    "start_best": int | None,
    "device": str,
    "cache": str,
    "dedupe": Literal["function", "string", "none"],
    "deterministic": bool,
    "budget.evaluations": int | None,
    "budget.seconds": float | None,
    "budget.cost": float | None,
    "run.name": str | None,
    "run.outputs": str,
    "snapshot.every": int,
    "snapshot.growth": float,
}


def check_root(config: dict[str, Any]) -> None:
    """Checks types and ranges of the root keys. Raises UsageError."""
    for key in config:
        if key not in (*GROUPS, *_SECTIONS) and key not in _ROOT:
            raise UsageError(f"the configuration has no key {key}{nearest(key, (*GROUPS, *_SECTIONS, *_ROOT))}")
    _check_finite("", config)
    for section in _SECTIONS:
        if not isinstance(config[section], Mapping):
            raise UsageError(f"{section} is {config[section]!r}; set its keys one by one, e.g. {section}.KEY=VALUE")
        for name in config[section]:
            if f"{section}.{name}" not in _ROOT:
                raise UsageError(f"{section} has no key {name}")
    for key, hint in _ROOT.items():
        *path, name = key.split(".")
        node = config[path[0]] if path else config
        if name not in node:
            raise UsageError(f"{key} is missing; set its keys one by one, e.g. {key}=VALUE")
        node[name] = convert(key, node[name], hint)
    _check_mappings(config)
    _check_ranges(config)


def _check_mappings(config: Mapping[str, Any]) -> None:
    """Raises UsageError for a root key that has another value than the mapping which it takes."""
    for key in OPEN:
        if not isinstance(config[key], Mapping):
            raise UsageError(f"{key} is {config[key]!r}; it must be a mapping: {key}={{NAME: ...}}")
    if config["reference"] is not None and not isinstance(config["reference"], Mapping):
        given = config["reference"]
        raise UsageError(f"reference is {given!r}; it must be null, or a mapping: reference={{METRIC: ...}}")
    if config["scalarize"] is not None and not isinstance(config["scalarize"], Mapping):
        raise UsageError(
            f"scalarize is {config['scalarize']!r}; it must be null or a mapping, such as scalarize={{form: mixed, "
            "a: 0.75, accuracy: valid_accuracy, cost: multiply_adds, bounds: [0, 1.0e7]}"
        )
    for name, node in config["jobs"].items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", str(name)) or not isinstance(node, Mapping):
            raise UsageError(
                f"jobs.{name} is {node!r}; further jobs are named in small letters and built from a mapping, e.g. "
                "jobs={size: {_target_: evonas_cli.jobs.size.Size}}"
            )


def _check_ranges(config: Mapping[str, Any]) -> None:
    """Raises UsageError for a root key that is out of range."""
    if not 0 <= config["seed"] < 2**63:
        raise UsageError(f"seed is {config['seed']}; it must be between 0 and 2^63 - 1")
    if config["start_best"] is not None and config["start_best"] < 1:
        raise UsageError(f"start_best is {config['start_best']}; it must be 1 or more, or null")
    if config["window"] < 1:
        raise UsageError(f"window is {config['window']}; it must be 1 or more")
    names = config["objectives"]
    if names is not None and (not names or len(set(names)) != len(names)):
        raise UsageError(
            f"objectives is {names}; name at least one metric, each once, or null for what the job prefers"
        )
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", config["device"]):
        raise UsageError(f"device is {config['device']!r}; it may be auto, cpu, cuda or cuda:N")
    if config["snapshot"]["every"] < 1 or not 1 <= config["snapshot"]["growth"] <= 1000:
        raise UsageError("snapshot.every must be 1 or more, snapshot.growth between 1 and 1000")


def _check_finite(place: str, node: Any) -> None:
    if isinstance(node, float) and not math.isfinite(node):
        raise UsageError(f"{place} is {node}; settings are finite numbers, and null where a limit may be absent")
    inside = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inside:
        _check_finite(f"{place}.{key}" if place else str(key), value)


def convert(key: str, value: Any, hint: Any) -> Any:
    """The value as its hint wants it (int to float, list to tuple). Raises UsageError naming the key."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or isinstance(hint, typing.TypeVar):
        return value
    if origin in (typing.Union, types.UnionType):
        return _one_of(key, value, args)
    if origin is Literal:
        if value not in args:
            if str(value) in args:
                raise UsageError(_quote(key, value))
            word = nearest(str(value), map(str, args))
            shown = "null" if value is None else repr(value)
            raise UsageError(f"{key} is {shown}{word} (it may be {', '.join(map(str, args))})")
        return value
    cls = origin or hint
    if cls in (list, tuple) or cls is Sequence:
        if not isinstance(value, list | tuple):
            raise UsageError(f"{key} is {value!r}; it must be a list, e.g. {key}=[...]")
        items = [convert(f"{key}[{n}]", item, args[0] if args else Any) for n, item in enumerate(value)]
        return items if cls is list else tuple(items)
    if cls is float and type(value) in (int, float):
        return float(value)
    if cls in (int, bool, str, float) and type(value) is not cls:
        if cls is str and type(value) in (int, float, bool):
            raise UsageError(_quote(key, value))
        names = {int: "an integer", bool: "true or false", str: "a word", float: "a number"}
        hint = f"; quote a path that looks like a list: {key}=\"'[...]'\"" if key in PATHS and value is not None else ""
        raise UsageError(f"{key} is {'null' if value is None else repr(value)}; it must be {names[cls]}{hint}")
    return value


def _quote(key: str, value: float) -> str:
    """What to do about a number, or true or false, where a word is wanted."""
    text = str(value).lower() if type(value) is bool else str(value)
    return f"{key} is {text}; it must be a word (quotes make it one: {key}=\"'{text}'\")"


def _one_of(key: str, value: Any, hints: Sequence[Any]) -> Any:
    """The value as one of the hints wants it: null, a word, a mapping, or else."""
    if value is None and type(None) in hints:
        return None
    arms = [arm for arm in hints if arm is not type(None)]
    if isinstance(value, str) and str in arms:
        return value
    mappings = [arm for arm in arms if typing.get_origin(arm) is Mapping]
    if isinstance(value, Mapping) or not mappings:
        try:
            return convert(key, value, (mappings or arms)[0])
        except UsageError as error:
            raise UsageError(f"{error}{', or null' if type(None) in hints else ''}") from None
    try:
        return convert(key, value, arms[0])
    except UsageError as error:
        raise UsageError(f"{error}, or {{name: value, ...}}") from None
