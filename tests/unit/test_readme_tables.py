"""The README's tables are those that `scripts/readme_tables` writes, and the script finds what differs."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.config.folders import options

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs the script; returns what it ends with, "" where all is well."""

    def run(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["readme_tables", *map(str, words)])
        try:
            runpy.run_path(str(ROOT / "scripts" / "readme_tables"), run_name="__main__")
        except SystemExit as end:
            return str(end.code)
        return ""

    return run


def test_the_readme_is_up_to_date(script: Callable[..., str]) -> None:
    assert script("--check") == ""


def test_what_differs_is_found_and_written(script: Callable[..., str], tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    changed = text.replace("| `random` |", "| `other` |", 1)
    assert changed != text
    readme.write_text(changed, encoding="utf-8")
    assert "the tables in README.md are out of date; run scripts/readme_tables" in script("--check", "--file", readme)
    assert readme.read_text(encoding="utf-8") == changed, "a check writes nothing"
    assert script("--file", readme) == "" and readme.read_text(encoding="utf-8") == text
    assert script("--check", "--file", readme) == ""


def test_markers_that_are_missing(script: Callable[..., str], tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# evonas\n")
    assert "the lines <!-- strategies: begin --> and <!-- strategies: end --> must stand in" in script("--file", readme)


def test_every_part_has_a_row() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for group in ("strategy", "space", "dataset"):
        assert not [name for name in options(group) if f"\n| `{name}` | " not in text]
