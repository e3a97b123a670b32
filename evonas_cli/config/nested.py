"""Strategies and spaces that are settings of another one, such as a proposer: by their name, or name and settings."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evonas_cli.config.folders import file_of, read
from evonas_cli.config.settings import DIRECTIVE, nearest
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space, Strategy

TARGET, NAME = "_target_", "name"


EXAMPLES = {"strategy": "{name:regularized_evolution,population_size:20}", "space": "{name:chain_cnn,layers:4}"}
"""What a setting may look like, by the group that it is of."""


def group_of(hint: Any) -> str | None:
    """The group that a constructor's parameter of this type is a part of: strategy, space, or None."""
    return {Strategy: "strategy", Space: "space"}.get(typing.get_origin(hint) or hint)


def node_of(key: str, value: Any, folders: Sequence[Path], group: str = "strategy") -> dict[str, Any]:
    """The node that a setting stands for, with all of its settings. Raises UsageError that names the key.

    `folders` are further ones of configuration, `group` is what the setting is: a strategy or a space.
    """
    given = {NAME: value} if isinstance(value, str) else value
    if isinstance(given, Mapping) and TARGET in given:
        return {str(name): setting for name, setting in given.items()}
    if not isinstance(given, Mapping) or not isinstance(given.get(NAME), str):
        raise UsageError(
            f"{key} is {value!r}; it must be the name of a {group}, or name and settings: {key}={EXAMPLES[group]}"
        )
    with naming(key):
        option = read(file_of(group, given[NAME], folders))
    own = {name: setting for name, setting in option.items() if name == TARGET or not _directs(name)}
    for name in given:
        if name != NAME and (name not in own or name == TARGET):
            known = [one for one in own if one != TARGET]
            raise UsageError(f"{key} has no key {name}{nearest(str(name), known)} (known: {', '.join(known)})")
    return {**own, **{str(name): setting for name, setting in given.items() if name != NAME}}


def expanded(node: Mapping[str, Any], constructor: Any, folders: Sequence[Path], group: str) -> dict[str, Any]:
    """The node of a group with whole nodes in the place of names, so that what is recorded says all settings."""
    hints = typing.get_type_hints(constructor.__init__)
    inner = {name: group_of(hints.get(str(name))) for name in node}
    nodes = {name: node_of(f"{group}.{name}", node[name], folders, kind) for name, kind in inner.items() if kind}
    return {**node, **nodes}


@contextmanager
def naming(key: str) -> Iterator[None]:
    """Says of a UsageError within which setting it is about."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{key}: {error}") from error


def _directs(name: str) -> bool:
    return name == "defaults" or DIRECTIVE.fullmatch(name) is not None
