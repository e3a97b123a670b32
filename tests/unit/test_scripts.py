"""Every Python script starts: what it imports is there, and --help says what it does."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "scripts"
SCRIPTS = sorted(path.name for path in FOLDER.iterdir() if path.read_text().startswith("#!/usr/bin/env python\n"))


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 10


@pytest.mark.parametrize("name", [name for name in SCRIPTS if "argparse" in (FOLDER / name).read_text()])
def test_it_starts(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(FOLDER / name), run_name="__main__")
    assert end.value.code == 0
    assert "usage:" in capsys.readouterr().out
