"""Whose line an exception is put down to."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evonas_cli.core import faults
from evonas_cli.core.blame import described, is_ours, naming, place, reason, told
from evonas_cli.core.errors import EvonasError, UsageError
from evonas_cli.core.rng import Seeded
from evonas_cli.network.plan import Graph


def loaded(folder: Path, name: str, text: str) -> Any:
    """A module of that name whose code lies in the folder."""
    path = folder / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    module = ModuleType(name)
    exec(compile(text, str(path), "exec"), module.__dict__)
    return module


def caught(call: Any, *arguments: Any) -> Exception:
    with pytest.raises(Exception) as error:
        call(*arguments)
    error.value.__traceback__ = error.value.__traceback__.tb_next  # type: ignore[union-attr]
    return error.value


MINE = "class Mine:\n    def decode(self, call):\n        return call()\n\n\ndef plain():\n    return 1 / 0\n"


def test_the_innermost_line_of_a_user_is_named(tmp_path: Path) -> None:
    mine = loaded(tmp_path, "mine", MINE)
    error = caught(mine.Mine().decode, mine.plain)
    assert place(error) == "mine.py:7 in plain"
    assert described(error) == "mine.py:7 in plain: ZeroDivisionError: division by zero"


def test_a_user_who_calls_a_library_or_evonas_wrongly_is_named(tmp_path: Path) -> None:
    mine = loaded(tmp_path, "mine", MINE)
    for call in (partial(json.loads, "{"), partial(Graph, ())):
        assert place(caught(mine.Mine().decode, call)) == "mine.py:3 in Mine.decode"


def test_evonas_and_libraries_are_not_named(tmp_path: Path) -> None:
    library = loaded(tmp_path / "site-packages", "library", MINE)
    assert place(caught(library.plain)) is None
    assert place(caught(json.loads, "{")) is None
    assert described(caught(Graph, ())).startswith("PlanError: ")


def test_the_reason_of_what_cannot_be_is_its_text_alone(tmp_path: Path) -> None:
    mine = loaded(tmp_path, "mine", MINE)
    own = caught(Graph, ())
    assert reason(own) == " ".join(str(own).split())
    assert reason(caught(mine.Mine().decode, partial(Graph, ()))).startswith("mine.py:3 in Mine.decode: PlanError: ")
    assert reason(ZeroDivisionError("x")) == "ZeroDivisionError: x" and reason(ValueError()) == "ValueError"


def test_an_allowed_module_is_a_users_wherever_it_lies(tmp_path: Path) -> None:
    library = loaded(tmp_path / "site-packages", "library", MINE)
    assert place(caught(library.plain), ["library"]) == "library.py:7 in plain"
    assert place(caught(library.plain), ["lib"]) is None


def test_a_text_is_one_short_line() -> None:
    assert told(ValueError("two\nlines " + "x" * 1000)).startswith("ValueError: two lines xxx")
    assert len(told(ValueError("x" * 1000))) < 320
    assert told(KeyError()) == "KeyError"


def test_naming_turns_what_a_part_raises_into_an_error_of_usage() -> None:
    found = r"^space Mine: sample: .*ZeroDivisionError: division by zero$"
    with pytest.raises(UsageError, match=found), naming("space Mine: sample"):
        1 / 0  # noqa: B018
    expected = EvonasError("as it is")
    with pytest.raises(EvonasError) as error, naming("x"):
        raise expected
    assert error.value is expected


def test_parts_of_evonas_are_known_by_their_class() -> None:
    assert is_ours(Seeded()) and not is_ours(ModuleType("mine")) and not is_ours(3)


def test_what_an_error_says_about_the_device() -> None:
    assert faults.is_device_error(RuntimeError("CUDA error: device-side assert triggered"))
    assert not faults.is_device_error(RuntimeError("CUDA error: out of memory"))
    assert not faults.is_device_error(ValueError("CUDA error"))
    assert faults.is_out_of_memory(MemoryError()) and faults.is_out_of_memory(RuntimeError("CUDA out of memory"))
    assert faults.is_refused(RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED"))
