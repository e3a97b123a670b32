"""The sweeps from a plain shell: each search once, the rest on the second call, and a SLURM array outside of SLURM."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
TOY = ("space=chain_landscape", "job=landscape", "budget.evaluations=20")

Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Runs a script in an empty folder with this evonas on the PATH."""
    shim = tmp_path / "bin" / "evonas"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m evonas_cli "$@"\n')
    shim.chmod(0o755)

    def call(name: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        outside = {key: value for key, value in os.environ.items() if not key.startswith("SLURM_")}
        env = {**outside, "PATH": f"{shim.parent}:{os.environ['PATH']}", **environment}
        return subprocess.run(
            [str(SCRIPTS / name), *words], cwd=tmp_path, env=env, text=True, capture_output=True, timeout=120
        )

    return call


def states(folder: Path) -> dict[str, str]:
    found = sorted(folder.glob("*/status.json"))
    return {path.parent.name: json.loads(path.read_text())["state"] for path in found}


def test_xargs(script: Script, tmp_path: Path) -> None:
    strategies = "random regularized_evolution"
    folder = tmp_path / "outputs/sweep-xargs"
    done = script("sweep_xargs", strategies, "0 1", "2", *TOY)
    assert done.returncode == 0, done.stderr
    expected = {f"{s}-{n}": "done" for s in ("random", "regularized_evolution") for n in (0, 1)}
    assert states(folder) == expected
    identity = json.loads((folder / "regularized_evolution-1/run.json").read_text())
    assert identity["choices"]["strategy"] == "regularized_evolution" and identity["identity"]["seed"] == 1
    again = script("sweep_xargs", strategies, "0", "2", *TOY)
    assert again.returncode == 0 and again.stderr.count("nothing was left to do") == 2
    assert script("sweep_xargs", "random", "2", "1", *TOY, "window=0").returncode == 123


def test_slurm(script: Script, tmp_path: Path) -> None:
    text = (SCRIPTS / "sweep_slurm").read_text()
    [first, last] = re.findall(r"^#SBATCH --array=(\d+)-(\d+)$", text, re.MULTILINE)[0]
    [strategies, seeds] = [
        words.split() for words in re.findall(r"^(?:strategies|seeds)=\((.*)\)$", text, re.MULTILINE)
    ]
    assert int(first) == 0 and int(last) == len(strategies) * len(seeds) - 1
    names = [f"{strategy}-{seed}" for strategy in strategies for seed in seeds]
    directives = [n for n, line in enumerate(text.splitlines()) if line.startswith("#SBATCH")]
    assert directives == list(range(1, 1 + len(directives))), "sbatch reads directives up to the first other line"
    for task in (0, 1, int(last)):
        done = script("sweep_slurm", *TOY, "window=1", SLURM_ARRAY_TASK_ID=str(task))
        assert done.returncode == 0, done.stderr
    assert states(tmp_path / "outputs/sweep-slurm") == {names[task]: "done" for task in (0, 1, int(last))}
    again = script("sweep_slurm", *TOY, "window=1", SLURM_ARRAY_TASK_ID="0")
    assert again.returncode == 0 and "nothing was left to do" in again.stderr
    beyond = script("sweep_slurm", *TOY, SLURM_ARRAY_TASK_ID=str(int(last) + 1))
    assert beyond.returncode == 2 and "there is no search" in beyond.stderr
    assert "SLURM_ARRAY_TASK_ID" in script("sweep_slurm", *TOY).stderr
