"""From overrides in Hydra's sweep syntax to the plain overrides of each child.

Hydra's override parser reads the words; the product and its order are those of Hydra's basic sweeper (the last key
varies fastest). Different from Hydra: `shuffle(...)` of a sweep draws the same order each time, so that a dry run shows
what will run; words quoted inside `choice(...)` stay words (`choice('1','2')`); a value given twice, a sweep without
values and an interval are refused.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas_cli.config.folders import options
from evonas_cli.config.overrides import parse
from evonas_cli.config.settings import EXPERIMENT, GROUPS, PATHS
from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

LARGEST = 10_000
"""Children that one sweep may have."""

Axis = list[str]
"""The plain overrides that one word stands for: several when it is a sweep, else itself alone."""


def axes(overrides: Sequence[str], folders: Sequence[Path] = ()) -> list[Axis]:
    """One axis for each word. Raises UsageError for words that cannot be read or enumerated."""
    found = [_axis(text, position, folders) for position, text in enumerate(overrides)]
    _check_count(math.prod(map(len, found)))
    return found


def product(found: Sequence[Axis]) -> list[tuple[str, ...]]:
    """The overrides of every child, the last axis varying fastest."""
    return list(itertools.product(*found))


def _check_count(n_children: int) -> None:
    if n_children > LARGEST:
        raise UsageError(f"the sweep has {n_children:,} children; one may have {LARGEST:,}, so split it")


def _axis(text: str, position: int, folders: Sequence[Path]) -> Axis:
    key, _, value = text.partition("=")
    if "=" not in text or not key or key != key.strip():
        raise UsageError(f"{text!r} is no override; write key=value without spaces, e.g. seed=0,1,2")
    if key in ("run.name", "run.outputs"):
        raise UsageError(f"{text}: a sweep names its runs itself; use --name and --outputs")
    if key in PATHS and not _readable(text):
        return [f"{key}={one}" for one in _paths(text, value)]
    override = _parse(text)
    if not override.is_sweep_override():
        # A list that Hydra shuffles while it reads would come out differently in each process.
        return [f"{key}={override.get_value_element_as_str()}" if "shuffle(" in value else text]
    values = [_plain(key, element) for element in _elements(key, text, override, position, folders)]
    for n, one in enumerate(values):
        if one in values[:n]:
            raise UsageError(f"{text} gives {key} the value {one} twice; give each value once")
    return [f"{key}={one}" for one in values]


def _parse(text: str) -> Override:
    try:
        return parse(text)
    except UsageError as error:
        raise UsageError(str(error).replace("as key=value", "as key=value or a sweep", 1)) from error


def _readable(text: str) -> bool:
    try:
        parse(text)
    except UsageError:
        return False
    return True


def _paths(text: str, value: str) -> list[str]:
    """Paths with letters that Hydra's grammar does not have: commas part them, as they part other values of a sweep."""
    found = value.split(",")
    if len(found) > 1 and ("'" in value or '"' in value or "" in found):
        raise UsageError(
            f"{text!r}: write paths with commas between them, and quote each that holds a comma or a quote"
        )
    for n, one in enumerate(found):
        if one in found[:n]:
            raise UsageError(f"{text} gives the value {one} twice; give each value once")
    return found


def _elements(key: str, text: str, override: Override, position: int, folders: Sequence[Path]) -> list[Any]:
    from hydra.core.override_parser.types import ChoiceSweep, Glob, RangeSweep

    sweep = override.value()
    if isinstance(sweep, Glob):
        return _matches(key, text, sweep, folders)
    if isinstance(sweep, RangeSweep):
        _check_range(text, sweep)
        found = list(sweep.range())
    elif isinstance(sweep, ChoiceSweep):
        found = list(sweep.list)
    else:
        raise UsageError(f"{text} is continuous and has no list of values; write range(START,STOP,STEP) or a,b,c")
    if sweep.shuffle:
        stream(0, "sweep", position).shuffle(found)
    return found


def _matches(key: str, text: str, glob: Any, folders: Sequence[Path]) -> list[str]:
    if key not in (*GROUPS, EXPERIMENT):
        raise UsageError(f"{text}: glob(...) chooses options of a group ({', '.join(GROUPS)}); list the values")
    known = list(options(key, folders))
    found: list[str] = glob.filter(known)
    if not found:
        raise UsageError(f"{text} fits no {key} (known: {', '.join(known)})")
    return found


def _check_range(text: str, sweep: Any) -> None:
    try:
        length = math.ceil((Fraction(sweep.stop) - Fraction(sweep.start)) / Fraction(sweep.step))
    except (OverflowError, ValueError, ZeroDivisionError) as error:
        raise UsageError(f"{text} never ends; give range(...) finite numbers and a step other than 0") from error
    if length <= 0:
        raise UsageError(f"{text} has no values; range(START,STOP,STEP) leaves STOP out")
    _check_count(length)


def _plain(key: str, element: Any) -> str:
    """The value as text that reads back as the same value, spaces and quotes included."""
    from hydra.core.override_parser.types import Override, OverrideType, Quote, QuotedString, ValueType

    def write(value: Any) -> str:
        return Override(OverrideType.CHANGE, key, ValueType.ELEMENT, value).get_value_element_as_str()

    text = write(element)
    if isinstance(element, str) and not _reads_as(element, f"{key}={text}"):
        return write(QuotedString(element, Quote.single))
    return text


def _reads_as(value: str, text: str) -> bool:
    return value != "" and _readable(text) and parse(text).value() == value
