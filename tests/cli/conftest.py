"""Running the command in this process and expecting it to refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.app import run


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs words in this process in an empty folder; returns the one line on stderr after checking the code."""
    monkeypatch.chdir(tmp_path)

    def check(code: int, *words: str) -> str:
        assert run(list(words)) == code, capsys.readouterr().err
        error = capsys.readouterr().err
        lines = [line for line in error.splitlines() if not line.startswith("[")]
        assert len(lines) == 1, error
        assert lines[0].startswith("evonas: ") and "Traceback" not in error
        return lines[0]

    return check
