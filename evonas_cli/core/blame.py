"""Whose code an exception came from: that of evonas and of libraries, or that of a part which a user wrote."""

from __future__ import annotations

import os
import sysconfig
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from evonas_cli.core.errors import EnvironmentFailure, EvonasError, UsageError
from evonas_cli.core.evaluating import Context

OURS = __name__.partition(".")[0]
_LIBRARIES = ("site-packages", "dist-packages")
_STANDARD = tuple(os.path.join(sysconfig.get_path(name), "") for name in ("stdlib", "platstdlib"))
LONGEST = 300
"""Characters of an exception's text that are shown."""


def is_ours(thing: object) -> bool:
    """Whether the object's class belongs to evonas."""
    return type(thing).__module__.partition(".")[0] == OURS


def place(error: BaseException, allowed: Sequence[str] = ()) -> str | None:
    """The innermost line of a user's code that the exception passed, as `my_space.py:31 in Mine.decode`.

    A user's code is that of the `allowed` modules, and all that belongs neither to evonas nor to Python's libraries.
    None when the exception passed none.
    """
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if _is_users(frame, allowed):
            found = f"{os.path.basename(frame.f_code.co_filename)}:{line} in {frame.f_code.co_qualname}"
    return found


def told(error: BaseException) -> str:
    """The exception's type and text on one line."""
    text = " ".join(str(error).split())[:LONGEST]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def described(error: BaseException, allowed: Sequence[str] = ()) -> str:
    """`told` after the place in a user's code, where there is one."""
    where = place(error, allowed)
    return told(error) if where is None else f"{where}: {told(error)}"


def reason(error: BaseException, allowed: Sequence[str] = ()) -> str:
    """`described`, or the text alone of a ValueError of evonas itself, which decoding raises for what cannot be."""
    plain = isinstance(error, ValueError) and place(error, allowed) is None
    return (told(error).partition(": ")[2] if plain else "") or described(error, allowed)


@contextmanager
def naming(what: str, allowed: Sequence[str] = ()) -> Iterator[None]:
    """Makes an exception of a user's code a UsageError that begins with `what`; expected errors pass as they are."""
    try:
        yield
    except EvonasError:
        raise
    except Exception as error:
        raise UsageError(f"{what}: {described(error, allowed)}") from error


def keep_traceback(id: int, context: Context) -> None:
    """traceback.txt in the candidate's folder. Called while the exception is handled. Raises EnvironmentFailure."""
    try:
        folder = context.folder(id)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            text = traceback.format_exc()
            (folder / "traceback.txt").write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise EnvironmentFailure(f"candidate {id} stopped: {told(error)}") from error


def _is_users(frame: FrameType, allowed: Sequence[str]) -> bool:
    module, file = str(frame.f_globals.get("__name__", "")), frame.f_code.co_filename
    if any(module == root or module.startswith(f"{root}.") for root in allowed):
        return True
    if module.partition(".")[0] == OURS or file.startswith("<"):
        return False
    return not file.startswith(_STANDARD) and not any(name in file.split(os.sep) for name in _LIBRARIES)
