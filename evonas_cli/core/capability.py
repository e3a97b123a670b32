"""Which interfaces an object has: an attribute counts if it is what the interface means, not for its name alone."""

from __future__ import annotations

import difflib
import inspect
import typing
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from types import FunctionType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from abc import ABCMeta as ProtocolMeta
else:
    ProtocolMeta = type(Protocol)

_ABSENT = object()
_METHODS = (FunctionType, property, cached_property, staticmethod, classmethod)
_COLLECTIONS = (tuple, Sequence, Mapping)


class Capability(ProtocolMeta):
    """The metaclass of the protocols here: `isinstance` asks `lack`.

    Python's own check looks at names alone, so that any object with an attribute `share` or `work` would pass.
    """

    def __instancecheck__(cls, thing: Any) -> bool:
        if not vars(cls).get("_is_protocol", False):
            return super().__instancecheck__(thing)
        return lack(thing, cls) is None


def lack(thing: Any, protocol: type) -> str | None:
    """The first thing that keeps an object from conforming to a protocol, as a clause ("its mutate is no method").

    Methods must take as many positional arguments as the protocol's, and have to be methods; properties must have a
    value of the annotated type. None: it conforms.
    """
    for name, member in _members(protocol).items():
        wrong = _wrong(thing, name, member)
        if wrong is not None:
            return wrong
    return None


def unknown(thing: Any, protocols: Iterable[type]) -> dict[str, str | None]:
    """Public methods and properties of an object's class that no protocol has, each with the known name most like it.

    A name that is a dataclass field, a setting of the constructor or begins with `_` is the part's own affair.
    """
    known = {name for protocol in protocols for name in _members(protocol)}
    own = set(inspect.signature(type(thing)).parameters) | set(getattr(type(thing), "__dataclass_fields__", ()))
    found: dict[str, str | None] = {}
    for cls in type(thing).__mro__:
        if cls.__module__ in ("builtins", "typing", "abc") or vars(cls).get("_is_protocol", False):
            continue
        for name, member in vars(cls).items():
            if name[0] != "_" and name not in known | own and isinstance(member, _METHODS):
                found[name] = next(iter(difflib.get_close_matches(name, sorted(known), 1, 0.5)), None)
    return found


def _wrong(thing: Any, name: str, member: Any) -> str | None:
    found = getattr(thing, name, _ABSENT)
    if found is _ABSENT:
        return f"it has no {name}"
    if not isinstance(member, FunctionType):
        return None if _fits(found, _hint(member)) else f"its {name} is no {_words(_hint(member))}"
    if not callable(found):
        return f"its {name} is no method"
    names = _parameters(member)
    return None if _takes(found, len(names)) else f"its {name} does not take ({', '.join(names)})"


@cache
def _members(protocol: type) -> dict[str, Any]:
    """The protocol's methods, properties and annotated names, those of its bases as well."""
    found: dict[str, Any] = {}
    for cls in reversed(protocol.__mro__):
        if vars(cls).get("_is_protocol", False) and cls is not Protocol:
            found |= dict.fromkeys(vars(cls).get("__annotations__", {}))
            for name, member in vars(cls).items():
                if isinstance(member, FunctionType | property) and (name == "__call__" or name[0] != "_"):
                    found[name] = member
    return found


@cache
def _hint(member: property | None) -> Any:
    return Any if member is None else typing.get_type_hints(member.fget).get("return", Any)


@cache
def _parameters(method: FunctionType) -> tuple[str, ...]:
    """What a protocol's method takes beside `self`."""
    return tuple(inspect.signature(method).parameters)[1:]


def _takes(method: Any, count: int) -> bool:
    function = getattr(method, "__func__", None)
    if isinstance(function, FunctionType) and inspect.ismethod(method):
        return _accepts(function, count + 1)
    return _accepts.__wrapped__(method, count)


@cache
def _accepts(function: Any, count: int) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C, without a signature
        return True
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the type, as far as that can be told without knowing what its elements mean."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in _COLLECTIONS:
        if not isinstance(value, origin) or isinstance(value, str | bytes):
            return False
        return issubclass(origin, Mapping) or all(_fits(element, args[0]) for element in value)
    if hint is float:
        return isinstance(value, int | float)
    return isinstance(value, hint) if isinstance(hint, type) else True


def _words(hint: Any) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    named = str(getattr(origin or hint, "__name__", hint))
    return f"{named} of {getattr(args[0], '__name__', args[0])}" if args else named
