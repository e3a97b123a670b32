"""Every Python script starts: what it imports is there, and --help says what it does."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "scripts"
FILES = [path for folder in (FOLDER, FOLDER / "benchmarks") for path in folder.iterdir() if path.is_file()]
PYTHON = [path for path in FILES if path.read_text().startswith("#!/usr/bin/env python\n")]
SCRIPTS = sorted(str(path.relative_to(FOLDER)) for path in PYTHON)


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 10


@pytest.mark.parametrize("name", [name for name in SCRIPTS if "argparse" in (FOLDER / name).read_text()])
def test_it_starts(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(FOLDER / name), run_name="__main__")
    assert end.value.code == 0
    assert "usage:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--help"], 0, ""),
        (["loops"], 2, "unknown step loops; see scripts/cuda_figures --help"),
        (["engine", "--root"], 2, "--root needs a value; see scripts/cuda_figures --help"),
        (["engine"], 4, "torch finds no CUDA device; rehearse with --device cpu"),
    ],
)
def test_figures_of_cuda_devices_need_one_and_known_steps(
    words: list[str], code: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    done = subprocess.run([FOLDER / "cuda_figures", *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, text and f"scripts/cuda_figures: {text}\n")
    assert ("All that evonas measures" in done.stdout) == (code == 0)
