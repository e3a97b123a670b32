"""Builds the object that a node of a configuration describes, after checking each key against the constructor."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from evonas_cli.config import nested
from evonas_cli.config.folders import (
    conf_root,
    options,
    read,
)
from evonas_cli.config.settings import DIRECTIVE, PATHS, convert, nearest
from evonas_cli.core.errors import EvonasError, UsageError
from evonas_cli.core.files import expanded
from evonas_cli.core.hints import hints_of

PACKAGES = {
    "space": "spaces",
    "strategy": "strategies",
    "dataset": "data",
    "trainer": "training",
    "job": "jobs",
    "evaluator": "evaluation",
    "tracker": "trackers",
}


def target(node: Mapping[str, Any], group: str, allowed: Sequence[str] = ()) -> Any:
    """The class that a node of a group names. Raises UsageError.

    Nothing but a class defined in the group's own package, or in a module that the user allowed, is ever called.
    """
    name = node.get("_target_")
    if not isinstance(name, str) or "." not in name:
        raise UsageError(f"{group}._target_ is {name!r}; it must name a class as package.module.Class")
    module, _, attribute = name.rpartition(".")
    home = f"evonas_cli.{PACKAGES[group]}"
    if not any(module == root or module.startswith(f"{root}.") for root in (home, *allowed)):
        raise UsageError(f"{group}._target_={name} is outside {home}; pass --allow-module {module} if you trust it")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        raise UsageError(f"{group}._target_={name} does not exist: {error}") from error
    except (Exception, SystemExit) as error:
        raise UsageError(f"{group}._target_={name} cannot be imported: {type(error).__name__}: {error}") from error
    if not inspect.isclass(found) or found.__module__ != module:
        raise UsageError(f"{group}._target_={name} is no class defined in {module}")
    return found


def build(node: Mapping[str, Any], group: str, allowed: Sequence[str] = (), **collaborators: Any) -> Any:
    """Builds the object a node describes; `collaborators` go to constructor parameters of the same name."""
    constructor = target(node, group, allowed)
    parameters = inspect.signature(constructor).parameters
    hints = hints_of(constructor)
    settings = {str(key): value for key, value in node.items() if not DIRECTIVE.fullmatch(str(key))}
    own = [name for name in parameters if name not in collaborators]
    for key in settings:
        if key not in own:
            raise UsageError(f"{group} has no key {key}{nearest(key, own)} (known: {', '.join(own)})")
    for key in settings:
        hint = hints.get(key)
        if nested.group_of(hint) is not None or nested.are_datasets(hint):
            make = partial(build, allowed=allowed, **collaborators)
            collaborators = {**collaborators, key: nested.built(f"{group}.{key}", settings[key], hint, make)}
    settings = {key: value for key, value in settings.items() if key not in collaborators}
    arguments = {key: convert(f"{group}.{key}", value, hints.get(key, Any)) for key, value in settings.items()}
    for key, value in arguments.items():
        if f"{group}.{key}" in PATHS and isinstance(value, str) and value.startswith("~"):
            arguments[key] = str(expanded(value, f"{group}.{key}"))
    passed = {name: value for name, value in collaborators.items() if name in parameters}
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in arguments and name not in passed:
            raise UsageError(f"{group}.{name} must be given")
    try:
        return constructor(**arguments, **passed)
    except EvonasError:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise UsageError(f"{group}: {constructor.__name__} cannot be made with these settings: {text}") from error


def spaces(allowed: Sequence[str] = (), folders: Sequence[Path] = ()) -> dict[str, Any]:
    """Every configured space, built with its defaults; of the user's own those in allowed modules that can be read."""
    found = {}
    for name, path in options("space", folders).items():
        own = path.is_relative_to(conf_root())
        try:
            node = read(path)
        except UsageError:
            if own:
                raise
            continue  # another file of the user's than the one chosen is no reason to stop
        if own or str(node.get("_target_")).rpartition(".")[0] in allowed:
            found[name] = build(node, "space", allowed)
    return found
