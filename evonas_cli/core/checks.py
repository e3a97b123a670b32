"""Checks of a strategy's settings. All raise UsageError with one line that names the key and the value."""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite

from evonas_cli.core.errors import UsageError


def whole(key: str, value: object, *, least: int, optional: bool = False) -> None:
    """A whole number of at least `least`."""
    if optional and value is None:
        return
    if type(value) is not int or value < least:
        rule = f"a whole number of at least {least}{' or null' if optional else ''}"
        raise UsageError(f"strategy.{key} must be {rule}; it is {value!r}")


def within(key: str, value: object, *, interval: str, optional: bool = False) -> None:
    """A finite number in an interval such as (0, 1]; inf stands for no end."""
    if optional and value is None:
        return
    low, high = (float(end) for end in interval[1:-1].split(","))
    number = type(value) in (int, float) and isfinite(value)  # type: ignore[arg-type]
    outside = not number or not low <= value <= high  # type: ignore[operator]
    if outside or (value == low and interval[0] == "(") or (value == high and interval[-1] == ")"):
        rule = f"a number in {interval}{' or null' if optional else ''}"
        raise UsageError(f"strategy.{key} must be {rule}; it is {value!r}")


def one_of(key: str, value: object, *, names: Collection[str]) -> None:
    """One of the words."""
    if value not in names:
        raise UsageError(f"strategy.{key} must be one of {', '.join(names)}; it is {value!r}")


def switch(key: str, value: object) -> None:
    """True or false."""
    if type(value) is not bool:
        raise UsageError(f"strategy.{key} must be true or false; it is {value!r}")


def require(holds: bool, key: str, value: object, rule: str) -> None:
    """A rule between settings: `rule` completes "strategy.<key>=<value> ..."."""
    if not holds:
        shown = "null" if value is None else str(value).lower() if type(value) is bool else value
        raise UsageError(f"strategy.{key}={shown} {rule}")
