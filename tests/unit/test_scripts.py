"""Every Python script starts: what it imports is there, and --help says what it does."""

from __future__ import annotations

import runpy
import shutil
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


def test_words_for_the_quickstart_reach_the_search(tmp_path: Path) -> None:
    """In a tree whose environment says what it was asked for."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("quickstart", "environment"):
        shutil.copy(FOLDER / name, tmp_path / "scripts" / name)
    (tmp_path / "pyproject.toml").write_text("")
    for name in ("python", "evonas"):
        program = tmp_path / ".venv" / "bin" / name
        program.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        program.chmod(0o755)
    words = ["--run-dir", "my run", "budget.evaluations=4"]
    done = subprocess.run([tmp_path / "scripts" / "quickstart", *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "evonas search --run-dir my run budget.evaluations=4"
    assert "installing evonas into .venv" in done.stderr and "--editable ." in done.stderr
