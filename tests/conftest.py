"""Fixtures and small parts that the suites share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.run.assembly import Parts, assemble

# Several processes test at once, each with as many threads as the machine has cores. By default, an idle thread of
# OpenMP spins, and takes its core from a thread that works: small networks took ten times as long. Read by torch when
# it is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.fixture
def data_dir() -> Path:
    """The folder of real data sets; the test is skipped where there is none."""
    folder = os.environ.get("EVONAS_DATA_DIR")
    if not folder:
        pytest.skip("EVONAS_DATA_DIR is not set: the real data sets are not at hand")
    return Path(folder)


@pytest.fixture(scope="session")
def compose_parts() -> Callable[..., Parts]:
    """Parts from overrides, as a search with them would have."""

    def make(*overrides: str) -> Parts:
        return assemble(compose(overrides).config)

    return make


@pytest.fixture
def evonas(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the real command in a process of its own, in a folder of its own."""

    def run(*arguments: str, cwd: Path = tmp_path, env: dict[str, str] | None = None, **options: Any) -> Any:
        command = [sys.executable, "-m", "evonas_cli", *arguments]
        environment = {**os.environ, **(env or {})}
        return subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, timeout=300, **options)

    return run


@pytest.fixture
def evonas_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Does the same without a process, which takes a tenth of the time: for what is not about processes."""
    from evonas_cli.cli.app import run

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        capfd.readouterr()
        code = run(list(arguments))
        return subprocess.CompletedProcess(arguments, code, *capfd.readouterr())

    return call
