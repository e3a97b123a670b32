"""Spawned processes import nothing from a hostile folder, and then have their parent's path and environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.core.processes import spawning


def _report(pipe: Any) -> None:
    import struct

    variables = {name: os.environ.get(name) for name in ("PYTHONPATH", "PYTHONSAFEPATH")}
    pipe.send((struct.calcsize("i"), variables, sys.path))


@pytest.mark.parametrize("path", [None, ".", f".{os.pathsep}elsewhere", os.pathsep])
def test_a_process_starts_in_a_hostile_folder(
    path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("signal", "struct", "types", "json", "random", "contextlib", "socket", "tempfile"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.setenv("PYTHONPATH", path) if path is not None else monkeypatch.delenv("PYTHONPATH", raising=False)
    spawn = spawning()
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_report, args=(theirs,))
    process.start()
    assert os.environ.get("PYTHONPATH") == path and "PYTHONSAFEPATH" not in os.environ
    theirs.close()
    size, variables, found = ours.recv()
    process.join()
    assert size == 4 and variables == {"PYTHONPATH": path, "PYTHONSAFEPATH": None}
    assert found[-1] == str(tmp_path)
