"""State to JSON and back by walking type hints, so that no strategy writes save or load code.

Covers None, bool, int, float (infinities too), str, bytes, tuples, lists, dicts, persistent dicts, dataclasses and
unions of None, plain values and dataclasses. A genome, any place whose hint is a type variable (`Member(Generic[G])`
with `genome: G`), is written and read by the space; None stays None.
Arrays of numpy (`NDArray[np.float64]`) are leaves. Other leaf types (tensors, say) join through `register`.
A field that a state gets later is declared with `later`, so that states of older runs are read and written as before.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from evonas_cli.core.persistent import PersistentDict
from evonas_cli.core.protocols import INNER
from evonas_cli.core.types import Json

Reader = Callable[[Any], Any]
_FLOATS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
_DICTS = (dict, PersistentDict)
_LEAVES: dict[type, tuple[Callable[[Any], Json], Reader]] = {}


class CodecError(ValueError):
    """A value that its type hint does not describe."""


class _Hinted:
    value: Json


_JSON = (Json, typing.get_type_hints(_Hinted)["value"])
"""The hint `Json` as it is written, and as a class shows it, which has references in the place of names inside."""


def register(leaf: type, write: Callable[[Any], Json], read: Reader) -> None:
    """Teaches the codec a type that it treats as one value."""
    _LEAVES[leaf] = (write, read)


_LATER = "later"


def later(make: Callable[[], Any]) -> Any:
    """A field of a dataclass whose states were stored before it had the field.

    A state without the field is read with what `make` gives, and the field is not written while it equals that.
    """
    return dataclasses.field(default_factory=make, metadata={_LATER: True})


def _read_bytes(data: Any) -> bytes:
    if not isinstance(data, str):
        raise CodecError(f"expected bytes in base64, found {type(data).__name__}")
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as error:
        raise CodecError(f"expected bytes in base64: {error}") from error


register(bytes, lambda value: base64.b64encode(value).decode("ascii"), _read_bytes)


def _array_leaf(cls: Any) -> bool:
    """Whether the type is numpy's array, which is registered at its first use: importing numpy here would be slow."""
    if getattr(cls, "__module__", "") != "numpy" or getattr(cls, "__name__", "") != "ndarray":
        return False
    import numpy

    register(numpy.ndarray, _write_array, _read_array)
    return True


def _write_array(array: Any) -> Json:
    """Shape and little-endian float64 bytes in base64: every bit comes back."""
    import numpy

    if not isinstance(array, numpy.ndarray) or array.dtype != numpy.float64:
        raise CodecError(f"expected an array of float64, found {getattr(array, 'dtype', type(array).__name__)}")
    return {"shape": list(array.shape), "float64": base64.b64encode(array.astype("<f8").tobytes()).decode("ascii")}


def _read_array(data: Any) -> Any:
    import numpy

    if not isinstance(data, Mapping) or set(data) != {"shape", "float64"}:
        raise CodecError("expected an array as its shape and its bytes")
    try:
        return numpy.frombuffer(_read_bytes(data["float64"]), "<f8").astype(float).reshape(data["shape"])
    except (TypeError, ValueError) as error:
        raise CodecError(f"expected an array: {error}") from error


def encode(hint: Any, value: Any, genome: Callable[[Any], Json]) -> Json:
    """The value as JSON. `genome` writes what stands where the hint is a type variable. Raises CodecError."""
    written: Json = _encode(hint, value, genome)
    return written


def decode(hint: Any, data: Json, genome: Reader) -> Any:
    """The inverse of `encode`. Raises CodecError."""
    return _decode(hint, data, genome)


def _encode(hint: Any, value: Any, genome: Callable[[Any], Json]) -> Any:
    if isinstance(hint, TypeVar):
        return None if value is None else genome(value)
    if hint in _JSON:
        return value
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _encode(_arm(hint, args, value), value, genome)
    cls: Any = origin or hint
    if cls in _LEAVES or _array_leaf(cls):
        return _LEAVES[cls][0](value)
    if cls is tuple:
        return [_encode(h, v, genome) for h, v in _items(args, value)]
    if cls is list:
        return [_encode(args[0], v, genome) for v in value]
    if cls in _DICTS:
        return [[_encode(args[0], k, genome), _encode(args[1], v, genome)] for k, v in value.items()]
    if _is_record(cls):
        if not isinstance(value, cls):
            raise CodecError(f"expected {cls.__name__}, found {type(value).__name__}")
        kept = {name: getattr(value, name) for name in _fields(cls)}
        for name, make in _later_fields(cls).items():
            if kept[name] == make():
                del kept[name]
        return {name: _encode(_fields(cls)[name], one, genome) for name, one in kept.items()}
    return _plain(cls, value)


def _plain(cls: Any, value: Any) -> Any:
    if cls is float and type(value) in (int, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    if cls in (bool, int, str, type(None)) and type(value) is cls:
        return value
    if cls is type(None) and value is None:
        return None
    raise CodecError(f"expected {getattr(cls, '__name__', cls)}, found {type(value).__name__}")


def _decode(hint: Any, data: Any, genome: Reader) -> Any:
    if isinstance(hint, TypeVar):
        return None if data is None else genome(data)
    if hint in _JSON:
        return data
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if data is None else _decode(_json_arm(hint, args, data), data, genome)
    cls: Any = origin or hint
    if cls in _LEAVES or _array_leaf(cls):
        return _LEAVES[cls][1](data)
    if cls in (tuple, list, *_DICTS) and not isinstance(data, list):
        raise CodecError(f"expected a list, found {type(data).__name__}")
    if cls is tuple:
        return tuple(_decode(h, v, genome) for h, v in _items(args, data))
    if cls is list:
        return [_decode(args[0], v, genome) for v in data]
    if cls in _DICTS:
        return cls({_decode(args[0], k, genome): _decode(args[1], v, genome) for k, v in data})
    if _is_record(cls):
        hints = _fields(cls)
        if not _has_fields(cls, data):
            raise CodecError(f"expected the fields {sorted(hints)} of {cls.__name__}")
        return cls(**{name: _decode(hints[name], one, genome) for name, one in data.items()})
    if cls is float and _is_special(data):
        return _FLOATS[data]
    return _plain(cls, data)


def _items(args: tuple[Any, ...], value: Any) -> list[tuple[Any, Any]]:
    if len(args) == 2 and args[1] is Ellipsis:
        return [(args[0], v) for v in value]
    if len(args) != len(value):
        raise CodecError(f"expected a tuple of {len(args)}, found {len(value)}")
    return list(zip(args, value, strict=True))


def _arm(hint: Any, args: tuple[Any, ...], value: Any) -> Any:
    """The member of a union that a Python value belongs to."""
    for arm in args:
        cls = typing.get_origin(arm) or arm
        if isinstance(cls, type) and type(value) is cls:
            return arm
    if type(value) is int and float in args:
        return float
    open_arms = [arm for arm in args if isinstance(arm, TypeVar)]
    if open_arms:
        return open_arms[0]
    raise CodecError(f"{type(value).__name__} is not in {hint}")


def _json_arm(hint: Any, args: tuple[Any, ...], data: Any) -> Any:
    """The member of a union that JSON data was written from."""
    for arm in args:
        cls = typing.get_origin(arm) or arm
        if isinstance(arm, TypeVar):
            continue
        if _is_record(cls):
            if _has_fields(cls, data):
                return arm
        elif cls in (tuple, list, *_DICTS):
            if isinstance(data, list):
                return arm
        elif type(data) is cls or (cls is float and (type(data) is int or _is_special(data))):
            return arm
    leaves = [arm for arm in args if (cls := typing.get_origin(arm) or arm) in _LEAVES or _array_leaf(cls)]
    open_arms = [arm for arm in args if isinstance(arm, TypeVar) or arm in leaves]
    if open_arms:
        return open_arms[0]
    raise CodecError(f"{type(data).__name__} is not in {hint}")


def _is_special(data: Any) -> bool:
    return isinstance(data, str) and data in _FLOATS


def _is_record(cls: Any) -> bool:
    return dataclasses.is_dataclass(cls)


@cache
def _fields(cls: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


@cache
def _later_fields(cls: Any) -> dict[str, Callable[[], Any]]:
    """What makes the value that stands for each field declared with `later`, where it is absent."""
    made: Any = {one.name: one.default_factory for one in dataclasses.fields(cls) if _LATER in one.metadata}
    return dict(made)


def _has_fields(cls: Any, data: Any) -> bool:
    """Whether JSON data has all fields of a dataclass but for some that came later, and no others."""
    if not isinstance(data, Mapping) or not set(data) <= set(_fields(cls)):
        return False
    return set(_fields(cls)) - set(data) <= set(_later_fields(cls))


def state_hint(strategy: Any) -> Any:
    """The type of a strategy's state: what its `init` is annotated to return. Raises CodecError when it is not.

    Where INNER stands in it, it holds the state of the strategy's `proposer`.
    """
    hint: Any = typing.get_type_hints(type(strategy).init).get("return")
    if hint is None:
        raise CodecError(f"{type(strategy).__name__}.init does not annotate the state it returns")
    open_arms = getattr(hint, "__parameters__", ())
    if INNER in open_arms:
        return hint[tuple([state_hint(strategy.proposer) if arm is INNER else arm for arm in open_arms])]
    return hint
