"""The page on Python is run from top to bottom, and prints what it shows."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest
from test_readme import matches

PAGE = Path(__file__).parents[2] / "docs/python.md"


def cells() -> list[tuple[str, list[str] | None]]:
    """The code of each block, with the lines that are shown below it (None: nothing is shown)."""
    blocks = re.findall(r"```(python|text)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found: list[tuple[str, list[str] | None]] = []
    for kind, text in blocks:
        if kind == "python":
            found.append((text, None))
        else:
            found[-1] = (found[-1][0], text.splitlines())
    return found


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = [cell for cell in cells() if cell[1] is not None]
    assert len(cells()) >= 10 and len(shown) >= 6
    names: dict[str, object] = {}
    for code, expected in cells():
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, str(PAGE), "exec"), names)
        printed = out.getvalue().splitlines()
        assert matches(expected or [], printed), f"{code}\nprinted\n{out.getvalue()}"
