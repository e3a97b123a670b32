"""The types that constructors state for their parameters."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.config.build import build
from evonas_cli.core.hints import hints_of

BASE = """
from __future__ import annotations
from collections.abc import Sequence as Row
from dataclasses import dataclass

@dataclass(frozen=True, kw_only=True)
class Family:
    sizes: Row[int]
    rate: float = 0.5
"""
CHILD = """
from __future__ import annotations
from dataclasses import dataclass
from family_of_strategies import Family

@dataclass(frozen=True, kw_only=True)
class Relative(Family):
    \"\"\"Of a family.\"\"\"
    rate: float = 0.1
    count: int = 3
"""


@pytest.fixture
def relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A dataclass whose base, with a name that the dataclass's module does not know, is in another module."""
    for name, text in (("family_of_strategies", BASE), ("relative_of_a_family", CHILD)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    import relative_of_a_family  # type: ignore[import-not-found]

    return relative_of_a_family.Relative


def test_inherited_fields_are_read_where_they_are_declared(relative: Any) -> None:
    assert {key: str(hint) for key, hint in hints_of(relative).items()} == {
        "sizes": "collections.abc.Sequence[int]",
        "rate": "<class 'float'>",
        "count": "<class 'int'>",
    }


def test_such_a_dataclass_is_built(relative: Any) -> None:
    node = {"_target_": "relative_of_a_family.Relative", "sizes": [1, 2], "rate": 1}
    made = build(node, "strategy", ("relative_of_a_family",))
    assert (made.sizes, made.rate, made.count) == ((1, 2), 1.0, 3)


@dataclass
class Fields:
    size: int


class Written(Fields):
    def __init__(self, path: str) -> None:
        super().__init__(len(path))


class Plain:
    pass


@pytest.mark.parametrize(("of", "names"), [(Written, ["path", "return"]), (Plain, []), (Fields, ["size"])])
def test_the_constructor_that_is_called_counts(of: Callable[..., Any], names: list[str]) -> None:
    assert list(hints_of(of)) == names
