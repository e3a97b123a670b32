"""Checks of options that a space is given: each returns them as a tuple, or raises UsageError that names the key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from evonas_cli.core.errors import UsageError

T = TypeVar("T")


def whole_numbers(key: str, options: Sequence[int], least: int) -> tuple[int, ...]:
    """Different whole numbers of at least `least`."""
    if any(type(option) is not int or option < least for option in options):
        raise UsageError(f"space.{key} must be whole numbers of at least {least}; they are {list(options)}")
    return _different(key, options)


def rates(key: str, options: Sequence[float]) -> tuple[float, ...]:
    """Different numbers in [0, 1)."""
    if any(type(option) not in (int, float) or not 0 <= option < 1 for option in options):
        raise UsageError(f"space.{key} must be numbers in [0, 1); they are {list(options)}")
    return _different(key, options)


def words(key: str, options: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Different ones of the `known` words."""
    if unknown := [option for option in options if option not in known]:
        raise UsageError(f"space.{key} may be {', '.join(known)}; {unknown[0]!r} is none of them")
    return _different(key, options)


def _different(key: str, options: Sequence[T]) -> tuple[T, ...]:
    if not options:
        raise UsageError(f"space.{key} is empty; name at least one option")
    if len(set(options)) < len(options):
        raise UsageError(f"space.{key} lists an option twice: {list(options)}")
    return tuple(options)
