"""Files of the current folder do not take the place of the standard library's modules, in any process of evonas."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = ("signal", "struct", "json", "random", "socket", "tempfile", "logging", "queue", "typer", "numpy", "hydra")
BEFORE_EVONAS = ("types", "enum", "functools", "contextlib", "re", "warnings", "__future__")
"""Python itself loads these for `python -m`, before evonas is asked."""

COMMAND = [sys.executable, "-P", "-c", "from evonas_cli.__main__ import main; main()"]
MODULE = [sys.executable, "-m", "evonas_cli"]
SEARCH = ("search", "space=mine", "job=landscape", "strategy=random", "budget.evaluations=3", "--quiet")
POOL = ("evaluator=pool", "evaluator.workers=1")
OWN = ("--config-dir", "conf", "--allow-module", "my_space")


def made(folder: Path, names: tuple[str, ...]) -> Path:
    """A folder of modules that end whoever imports them, and a space of the user's."""
    for name in names:
        (folder / f"{name}.py").write_text(f"raise SystemExit('the wrong {name}')\n")
    (folder / "conf" / "space").mkdir(parents=True)
    (folder / "conf" / "space" / "mine.yaml").write_text("_target_: my_space.Mine\nlength: 8\n")
    (folder / "my_space.py").write_text("from evonas_cli.spaces.bits import Bits\n\n\nclass Mine(Bits):\n    pass\n")
    return folder


def finished(folder: Path, start: list[str], *words: str, path: str | None = ".") -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {} if path is None else {"PYTHONPATH": path}
    done = subprocess.run([*start, *words], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "wrong" not in done.stderr + done.stdout, done.stderr
    return done.stdout


@pytest.mark.parametrize("where", ["command", "module"])
def test_a_search_with_workers(where: str, tmp_path: Path) -> None:
    folder = made(tmp_path, NAMES + (BEFORE_EVONAS if where == "command" else ()))
    out = finished(folder, COMMAND if where == "command" else MODULE, *SEARCH, *POOL, *OWN, "--run-dir", "run")
    assert out.splitlines()[-1] == "run"


def test_the_module_finds_what_lies_beside_it_without_a_path(tmp_path: Path) -> None:
    finished(made(tmp_path, NAMES), MODULE, *SEARCH, *POOL, *OWN, "--run-dir", "run", path=None)
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "done"


def test_a_sweep_with_workers(tmp_path: Path) -> None:
    words = ("sweep", "space=mine", "job=landscape", "strategy=random", "seed=1,2", "budget.evaluations=2")
    out = finished(made(tmp_path, NAMES + BEFORE_EVONAS), COMMAND, *words, *POOL, *OWN, "--name", "s")
    assert "2 children: 2 done" in out


def test_processes_of_a_bench(tmp_path: Path) -> None:
    words = ("bench", "strategies", "space=bits", "--strategies", "random", "--seeds", "2", "--jobs", "2")
    out = finished(made(tmp_path, NAMES + BEFORE_EVONAS), COMMAND, *words, "budget.evaluations=3")
    assert "values by seed" in out


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    line = f"mkdir gone && cd gone && rmdir ../gone && {sys.executable} -m evonas_cli spaces bits"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("space=bits"), done.stderr
