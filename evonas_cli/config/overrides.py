"""Overrides, key=value words in Hydra's grammar: reading one, and what that grammar cannot hold as it is written: paths
and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas_cli.config.folders import check_option, file_of, options
from evonas_cli.config.settings import EXPERIMENT, GROUPS, OPEN, PATHS
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

SPECIAL = r"[\\,:={}\[\]()]|^ | $"
"""What Hydra's grammar wants a backslash before in a key."""


def parse(text: str) -> Override:
    """Hydra's reading of an override. Raises UsageError."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_override(text)
    except HydraException as error:
        reason = " ".join(str(error).split())[:120]
        raise UsageError(
            f"{text!r} cannot be read as key=value: {reason}; close brackets, and put a text with special letters "
            f"into quotes within quotes: '{text.partition('=')[0]}=\"TEXT\"'"
        ) from error


def set_path(key: str, path: str | Path) -> str:
    """The override that gives a key this very path, whatever letters it has. Raises UsageError for one with `${`."""
    from hydra.core.override_parser.types import Quote, QuotedString

    if "${" in str(path):
        raise UsageError(f"{key}: the path {path} holds ${{, which begins a reference to another key; rename it")
    return f"{key}={QuotedString(str(path), Quote.single).with_quotes()}"


def set_json(key: str, value: Json) -> str:
    """The override that gives a key this value of JSON: `set_json("a", [{"b": 1}])` is `a=[{b:1}]`."""
    return f"{key}={_hydras(value)}"


def plain(text: str) -> str:
    """The override with its value quoted, if its key is a path: then the value is taken as it is written. Lists and
    mappings may be JSON, such as a genome of a journal: `a=[{"b": "c"}]` is `a=[{b: 'c'}]`.

    Left to Hydra are null, what is quoted already, a list or mapping of its grammar, a function of its grammar, a
    backslash before a special letter, and `${`, which refers to another key.
    """
    from hydra.core.override_parser.types import Quote, QuotedString

    key, _, value = text.partition("=")
    if key.lstrip("+") not in PATHS:
        return _from_json(text, key, value) if value.startswith(("[", "{")) else text
    if not value or _is_hydras(text, value):
        return text
    return f"{key}={QuotedString(value, Quote.single).with_quotes()}"


def _from_json(text: str, key: str, value: str) -> str:
    """The override in Hydra's grammar, where its value is JSON that Hydra cannot read; else as it is."""
    try:
        parse(text)
        return text
    except UsageError as unread:
        try:
            found = json.loads(value)
            written = set_json(key, found)
            if parse(written).value() == found:
                return written
        except (ValueError, UsageError):  # no JSON, or keys with quotes
            pass
        raise unread


def _hydras(value: Json) -> str:
    """A value of JSON in Hydra's grammar, which has keys without quotes."""
    from hydra.core.override_parser.types import Quote, QuotedString

    if isinstance(value, dict):
        return "{" + ",".join(f"{re.sub(SPECIAL, _escaped, key)}:{_hydras(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_hydras, value)) + "]"
    return QuotedString(value, Quote.single).with_quotes() if isinstance(value, str) else json.dumps(value)


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _is_hydras(text: str, value: str) -> bool:
    from hydra.core.override_parser.types import QuotedString, ValueType

    try:
        read_as = parse(text)
    except UsageError:
        return False  # no text of Hydra's grammar, so it is the path itself
    kind, found = read_as.value_type, read_as._value
    if kind is ValueType.SIMPLE_CHOICE_SWEEP:
        return False
    if read_as.is_sweep_override() or found is None or isinstance(found, QuotedString | list | dict):
        return True
    return isinstance(found, str) and ("\\" in value or "${" in value)


def key_of(text: str, folders: Sequence[Path]) -> tuple[str, bool]:
    """The key of an override and whether it chooses a group's option. Raises UsageError."""
    key, _, value = text.partition("=")
    if "=" not in text or key != key.strip() or not key:
        raise UsageError(f"{text!r} is no override; write key=value without spaces, e.g. seed=1")
    override = parse(text)
    if override.is_sweep_override():
        raise UsageError(f"{text} is a sweep; run one search a value with `evonas sweep`")
    if override.package is not None or key.startswith("hydra"):
        raise UsageError(f"{text}: Hydra's own settings and packages are not used here")
    if key not in (*GROUPS, EXPERIMENT):
        return key, False
    name = override.value()
    if key == EXPERIMENT and name is None:
        return key, True
    if not isinstance(name, str) and value in options(key, folders):
        raise UsageError(f"{text}: {value} is no name to Hydra; quote it: {key}=\"'{value}'\"")
    chosen = name if isinstance(name, str) else value
    file_of(key, chosen, folders)
    check_option(key, chosen, folders)
    return key, True


def words(text: str, known: Any) -> list[str]:
    """The override as Hydra takes it: one mapping in the place of another is to remove and to add, to Hydra, and a name
    below a key of OPEN to add."""
    override, there = parse(text), known
    for part in override.key_or_group.split("."):
        there = there.get(part) if isinstance(there, Mapping) else None
    key = override.key_or_group
    if key.partition(".")[0] in OPEN and key not in OPEN:
        return [f"++{text}"]
    replaces = isinstance(override.value(), dict) and isinstance(there, Mapping) and (there or key in OPEN)
    return [f"~{key}", f"+{text}"] if replaces else [text]


def check_repeats(keys: Sequence[str]) -> None:
    """Raises UsageError for a key that stands twice."""
    for position, key in enumerate(keys):
        if key in keys[:position]:
            raise UsageError(f"{key} is given twice; give it once")
