"""The functions and classes that the records of operations name, imported when the first network needs them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.network.ops import OPS


def builder(name: str) -> Callable[..., Any]:
    """From input shapes, settings and a CPU generator to the operation's module. Raises UsageError as `_found`."""
    return _found(name, "build", OPS[name].build)


def stacked(name: str) -> Callable[..., Any]:
    """The class of an operation's stacked form, if that has one of its own. Raises UsageError as `_found`."""
    path = OPS[name].stack
    if path is None:
        raise ValueError(f"the operation {name} has no stacked form")
    return _found(name, "stack", path)


@cache
def _found(name: str, key: str, path: str) -> Callable[..., Any]:
    """What "module:name" stands for. Raises UsageError that names operation and path when it is not there."""
    module, attribute = path.split(":")
    try:
        found: Callable[..., Any] = getattr(import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        raise UsageError(f"the operation {name}: {key} names {path}, which is not there ({error})") from error
    return found
