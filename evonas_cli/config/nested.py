"""Parts that are settings of other parts, such as a strategy's proposer, a space's inner space, or the members of a
data set of several tasks: by their name, or by name and settings."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evonas_cli.config.folders import file_of, read
from evonas_cli.config.settings import DIRECTIVE, nearest
from evonas_cli.core.errors import UsageError
from evonas_cli.core.hints import hints_of
from evonas_cli.core.protocols import Space, Strategy
from evonas_cli.core.sources import Member

TARGET, NAME = "_target_", "name"


EXAMPLES = {
    "strategy": "{name:regularized_evolution,population_size:20}",
    "space": "{name:chain_cnn,layers:4}",
    "dataset": "{name:digits,limit:500}",
}
"""What a setting may look like, by the group that it is of."""


def group_of(hint: Any) -> str | None:
    """The group that a constructor's parameter of this type is a part of: strategy, space, or None."""
    return {Strategy: "strategy", Space: "space"}.get(typing.get_origin(hint) or hint)


def are_datasets(hint: Any) -> bool:
    """Whether a constructor's parameter of this type is a list of data sets."""
    return typing.get_args(hint) == (Member,)


def node_of(key: str, value: Any, folders: Sequence[Path], group: str = "strategy") -> dict[str, Any]:
    """The node that a setting stands for, with all of its settings. Raises UsageError that names the key.

    `folders` are further ones of configuration, `group` is what the setting is: a strategy, a space or a data set.
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


def nodes_of(key: str, value: Any, folders: Sequence[Path]) -> list[dict[str, Any]]:
    """The nodes of a list of data sets. Raises UsageError that names the key."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        like = f"{key}=[digits,{EXAMPLES['dataset']}]"
        raise UsageError(f"{key} is {value!r}; it must be a list of data sets, e.g. {like}")
    return [node_of(f"{key}[{place}]", one, folders, "dataset") for place, one in enumerate(value)]


def expanded(node: Mapping[str, Any], constructor: Any, folders: Sequence[Path], group: str) -> dict[str, Any]:
    """The node of a group with whole nodes in the place of names, so that what is recorded says all settings."""
    hints = hints_of(constructor)
    found = dict(node)
    for name, value in node.items():
        hint, key = hints.get(str(name)), f"{group}.{name}"
        if (kind := group_of(hint)) is not None:
            found[name] = node_of(key, value, folders, kind)
        elif are_datasets(hint):
            found[name] = nodes_of(key, value, folders)
    return found


def built(key: str, value: Any, hint: Any, build: Callable[[Mapping[str, Any], str], Any]) -> Any:
    """The part that a setting stands for, or the data sets, where its type says that it stands for any.

    `build` makes a part of a node and the name of its group. Raises UsageError that names the key.
    """
    if (kind := group_of(hint)) is not None:
        inner = node_of(key, value, (), kind)
        with naming(key):
            return build(inner, kind)
    found = []
    for place, inner in enumerate(nodes_of(key, value, ())):
        with naming(f"{key}[{place}]"):
            found.append(build(inner, "dataset"))
    return tuple(found)


@contextmanager
def naming(key: str) -> Iterator[None]:
    """Says of a UsageError within which setting it is about."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{key}: {error}") from error


def _directs(name: str) -> bool:
    return name == "defaults" or DIRECTIVE.fullmatch(name) is not None
