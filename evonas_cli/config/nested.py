"""Strategies that are settings of another strategy, such as a proposer: by their name, or by name and settings."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evonas_cli.config.folders import file_of, read
from evonas_cli.config.settings import DIRECTIVE, nearest
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Strategy

TARGET, NAME = "_target_", "name"


def is_strategy(hint: Any) -> bool:
    """Whether a constructor's parameter of this type is another strategy."""
    return (typing.get_origin(hint) or hint) is Strategy


def node_of(key: str, value: Any, folders: Sequence[Path]) -> dict[str, Any]:
    """The node that a setting stands for, with all of its settings. Raises UsageError that names the key.

    `folders` are further ones of configuration.
    """
    given = {NAME: value} if isinstance(value, str) else value
    if isinstance(given, Mapping) and TARGET in given:
        return {str(name): setting for name, setting in given.items()}
    if not isinstance(given, Mapping) or not isinstance(given.get(NAME), str):
        raise UsageError(
            f"{key} is {value!r}; it must be the name of a strategy, or name and settings: "
            f"{key}={{name:regularized_evolution,population_size:20}}"
        )
    with naming(key):
        option = read(file_of("strategy", given[NAME], folders))
    own = {name: setting for name, setting in option.items() if name == TARGET or not _directs(name)}
    for name in given:
        if name != NAME and (name not in own or name == TARGET):
            known = [one for one in own if one != TARGET]
            raise UsageError(f"{key} has no key {name}{nearest(str(name), known)} (known: {', '.join(known)})")
    return {**own, **{str(name): setting for name, setting in given.items() if name != NAME}}


def expanded(node: Mapping[str, Any], constructor: Any, folders: Sequence[Path]) -> dict[str, Any]:
    """The node of a strategy with whole nodes in the place of names, so that what is recorded says all settings."""
    hints = typing.get_type_hints(constructor.__init__)
    nested = {name: value for name, value in node.items() if is_strategy(hints.get(str(name)))}
    return {**node, **{name: node_of(f"strategy.{name}", value, folders) for name, value in nested.items()}}


@contextmanager
def naming(key: str) -> Iterator[None]:
    """Says of a UsageError within which setting it is about."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{key}: {error}") from error


def _directs(name: str) -> bool:
    return name == "defaults" or DIRECTIVE.fullmatch(name) is not None
