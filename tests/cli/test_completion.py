"""What shells offer: through bash itself, and for zsh and fish by the lines that their scripts send."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from evonas_cli.cli import completing, completion_scripts
from evonas_cli.cli.app import app
from evonas_cli.core.errors import UsageError

COMMAND = typer.main.get_command(app)


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """The candidates for a line, in a folder with a run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs/2026-11-28/101112-random-bits").mkdir(parents=True)
    (tmp_path / "outputs/2026-11-28/101112-random-bits/run.json").write_text("{}")

    def call(line: str, breaks: str = "") -> list[str]:
        monkeypatch.setenv(completing.LINE, line)
        monkeypatch.setenv(completing.BREAKS, breaks)
        return completing.answer(COMMAND)

    return call


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("evonas sea", ["search"]),
        ("evonas bench bu", ["build"]),
        ("evonas help bench e", ["engine"]),
        ("evonas search --resu", ["--resume"]),
        ("evonas search --resume ", ["auto", "must", "never"]),
        ("evonas search --quiet --workers 2 spac", ["space.", "space="]),
        ("evonas search space=chain_", ["space=chain_cnn", "space=chain_landscape"]),
        ("evonas search 'space=gp", ["space=gp_cell"]),
        ("evonas search experiment=cart", ["experiment=cartpole"]),
        ("evonas search strategy=genetic strategy.pop", ["strategy.population_size="]),
        ("evonas search strategy=random strategy.pop", []),
        ("evonas search budget.ev", ["budget.evaluations="]),
        ("evonas search budget.seconds=", ["budget.seconds=null"]),
        ("evonas search deterministic=", ["deterministic=false", "deterministic=true"]),
        ("evonas search no.such", []),
        ("evonas sweep st", ["start_best=", "start_from=", "status", "strategy.", "strategy="]),
        ("evonas show ", ["101112-random-bits", "latest"]),
        ("evonas show 2026-", []),
        ("evonas show 2026-11-28/1", ["2026-11-28/101112-random-bits"]),
        ("evonas show --outputs nowhere ", ["latest"]),
        ("evonas retrain latest kn", ["knee"]),
        ("evonas resume latest budget.c", ["budget.cost="]),
        ("evonas plot latest 10", ["101112-random-bits"]),
        ("evonas trainers a", ["adamw"]),
        ("evonas search --run-dir ", []),
    ],
)
def test_what_is_offered(line: str, found: list[str], offered: object) -> None:
    assert offered(line) == found  # type: ignore[operator]


def test_options_of_a_users_folder(offered: object, tmp_path: Path) -> None:
    (tmp_path / "mine/space").mkdir(parents=True)
    (tmp_path / "mine/space/own.yaml").write_text("_target_: own.Own\nsize: 3\n")
    (tmp_path / "mine/space/own_bad.yaml").write_text("size: [3\n")
    line = "evonas search --config-dir mine space=own"
    assert offered(line) == ["space=own", "space=own_bad"]  # type: ignore[operator]
    assert offered(f"{line} space.s") == ["space.size="]  # type: ignore[operator]
    assert offered(f"{line}_bad space.s") == []  # type: ignore[operator]


def test_bash_itself(tmp_path: Path) -> None:
    """It breaks words at `=`, and replaces the last piece; after a key no space follows. Torch is not imported."""
    shim = tmp_path / "evonas"
    complete = f"exec {sys.executable} -X importtime -m evonas_cli 2>>imports"
    shim.write_text(f'#!/bin/sh\n[ -n "$_EVONAS_LINE" ] && {complete}\nprintf \'<%s>\' "$@"\n')
    shim.chmod(0o755)
    (tmp_path / "script").write_text(completion_scripts.BASH)
    session = 'PATH="$PWD:$PATH"; source script\nevonas search space=chain_l\tbudget.ev\t7\nexit\n'
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-i"],
        cwd=tmp_path,
        input=session,
        text=True,
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "dumb", "INPUTRC": "/dev/null"},
    )
    assert "<search><space=chain_landscape><budget.evaluations=7>" in done.stdout, done.stdout + done.stderr
    imports = (tmp_path / "imports").read_text()
    assert " typer" in imports and not re.search(r"\| +(torch|numpy|hydra|omegaconf|rich)\b", imports)


@pytest.mark.parametrize("name", completion_scripts.SCRIPTS)
def test_installing_twice_is_installing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", f"/usr/bin/{name}")
    (tmp_path / ".bashrc").write_text("alias l=ls")
    for _ in range(2):
        path = completion_scripts.install(completion_scripts.shell())
    assert path.read_text() == completion_scripts.SCRIPTS[name] and "_EVONAS_LINE" in path.read_text()
    bashrc = "alias l=ls\nsource ~/.bash_completions/evonas.sh\n" if name == "bash" else "alias l=ls"
    assert (tmp_path / ".bashrc").read_text() == bashrc


def test_a_shell_without_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/csh")
    with pytest.raises(UsageError, match="SHELL is csh; name one of bash, zsh, fish"):
        completion_scripts.shell()
