"""What a run directory holds that is not needed any more.

Whatever is named here can go without changing what the run ends with: a checkpoint of a candidate that is recorded is
never read again; weights that are gone are trained again, with equal bits, for a candidate that continues from them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.evaluating import CHECKPOINT, WEIGHTS
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.draft import abandoned, remove_draft
from evonas_cli.store.journal import Journal
from evonas_cli.store.lock import Lock
from evonas_cli.store.weights import folders


@dataclass(frozen=True, slots=True)
class Needless:
    """A file or folder of so many bytes, and what it is, such as "an empty folder"."""

    path: Path
    bytes: int
    what: str


def left_over(run: RunDirectory, kept: Collection[int] | None = None) -> list[Needless]:
    """Empty folders of candidates and checkpoints of recorded ones; with `kept`, weights of all but these candidates.

    Raises RunError for a run that cannot be read.
    """
    journal = Journal(run.journal, write=False)
    try:
        recorded = {entry["id"] for entry in journal}
    finally:
        journal.close()
    found: list[Needless] = []
    for id, folder in folders(run.root / "candidates"):
        named = {entry.name: entry.stat(follow_symlinks=False).st_size for entry in os.scandir(folder)}
        if not named:
            found.append(Needless(folder, 0, "an empty folder"))
        if CHECKPOINT in named and id in recorded:
            found.append(Needless(folder / CHECKPOINT, named[CHECKPOINT], "a checkpoint of a recorded candidate"))
        if WEIGHTS in named and id in recorded and kept is not None and id not in kept:
            found.append(Needless(folder / WEIGHTS, named[WEIGHTS], "weights of a candidate off the front"))
    return found


def drafts(outputs: Path) -> Iterator[Needless]:
    """Drafts of runs whose process was killed, in the outputs folder and in its folders."""
    parents = [outputs, *sorted(path for path in outputs.iterdir() if path.is_dir())] if outputs.is_dir() else []
    for parent in parents:
        for folder in abandoned(parent):
            yield Needless(folder, sum(file.stat().st_size for file in folder.iterdir()), "an abandoned draft")


def remove(run: RunDirectory, needless: Collection[Needless]) -> None:
    """Removes what `left_over` named, and folders that are empty then.

    Raises LockedError for a run that a process works on, EnvironmentFailure where the disk refuses.
    """
    lock = Lock(run.lock)
    try:
        for one in needless:
            try:
                if one.path.name in (CHECKPOINT, WEIGHTS):
                    one.path.unlink(missing_ok=True)
                    with contextlib.suppress(OSError):  # something else is in it
                        one.path.parent.rmdir()
                else:
                    one.path.rmdir()
            except OSError as error:
                raise EnvironmentFailure(f"cannot remove {one.path}: {error.strerror}") from error
    finally:
        lock.release()


def remove_drafts(needless: Collection[Needless]) -> None:
    """Removes drafts that are still abandoned."""
    for one in needless:
        remove_draft(one.path)
