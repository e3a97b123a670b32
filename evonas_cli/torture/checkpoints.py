"""Rows that damage the checkpoints of trainings which were killed, and the weights that later candidates need."""

from __future__ import annotations

import inspect
import os
import pickle
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from evonas_cli.config.build import target
from evonas_cli.core.evaluating import CHECKPOINT, WEIGHTS
from evonas_cli.store.directory import RunDirectory
from evonas_cli.torture.ground import Ground
from evonas_cli.torture.row import Row, Unable, holds

Damage: TypeAlias = Callable[[Path, Path], None]
OFTEN = "trainer.checkpoint_seconds=0"
MARK = "unpickled"
"""The file that a pickle makes when somebody opens it."""


class Mine:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.mark}'",)


def _truncated(path: Path, mark: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path, mark: Path) -> None:
    path.write_bytes(b"")


def _garbage(path: Path, mark: Path) -> None:
    path.write_bytes(bytes(range(256)) * 16)


def _pickled(path: Path, mark: Path) -> None:
    path.write_bytes(pickle.dumps(Mine(mark)))


def _deleted(path: Path, mark: Path) -> None:
    path.unlink()


def _saved(run: RunDirectory) -> list[Path]:
    return [path for name in (CHECKPOINT, WEIGHTS) for path in sorted(run.root.glob(f"candidates/*/{name}"))]


def _with_files(ground: Ground) -> RunDirectory:
    """A search that was killed when it had checkpoints or weights on the disk, made once."""
    made = RunDirectory(ground.folder / "saved")
    if not _trains(ground):
        raise Unable("the job of the configuration keeps no checkpoints")
    for _ in range(20 if not made.exists() else 0):
        run = ground.free()
        process = ground.begun(run, OFTEN)
        while process.poll() is None and not (run.recorded() and list(run.root.glob(f"candidates/*/{CHECKPOINT}"))):
            time.sleep(0.0005)
        process.kill()
        ground.processes.ended(process)
        if run.exists() and list(run.root.glob(f"candidates/*/{CHECKPOINT}")):
            run.root.rename(made.root)
            break
    if not made.exists():
        raise Unable("the trainings were too short to be killed at a checkpoint")
    return made


def _trains(ground: Ground) -> bool:
    """Whether the job is made with a trainer that can write checkpoints."""
    config = ground.parts.config
    takes = inspect.signature(target(config["job"], "job", ground.allowed)).parameters
    return "trainer" in takes and "checkpoint_seconds" in config["trainer"]


def _damaged(damage: Damage, ground: Ground) -> str:
    run, made = ground.free(), _with_files(ground)
    shutil.copytree(made.root, run.root)
    files = _saved(run)
    for path in files:
        damage(path, ground.folder / MARK)
    observed = ground.resume(run, OFTEN)
    holds(not (ground.folder / MARK).exists(), "a pickle was opened")
    return f"{observed}, {len(files)} files"


_SAME = "same digest after a resume"
ROWS = (
    Row("checkpoints, truncated", "each cut to half its bytes", _SAME, partial(_damaged, _truncated), 1.8),
    Row("checkpoints, empty", "each emptied", _SAME, partial(_damaged, _empty), 0.9),
    Row("checkpoints, garbage", "each overwritten with bytes", _SAME, partial(_damaged, _garbage), 0.9),
    Row(
        "checkpoints, pickle",
        "each a pickle that runs a command",
        f"{_SAME}, nothing run",
        partial(_damaged, _pickled),
        0.9,
    ),
    Row("checkpoints, deleted", "each deleted", _SAME, partial(_damaged, _deleted), 0.9),
)
