"""Trained weights in a run directory: those that the strategy cannot need any more are removed after a snapshot."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.evaluating import WEIGHTS
from evonas_cli.core.fold import Fold
from evonas_cli.core.protocols import Keeping
from evonas_cli.store.directory import RunDirectory


@dataclass(frozen=True, slots=True)
class _Needed:
    """Whose weights a run that goes on from one snapshot needs: the front's, those that the strategy keeps, those that
    pending candidates continue, and of all candidates from id `told` on."""

    told: int
    kept: Container[int]
    others: frozenset[int]

    def __contains__(self, id: int) -> bool:
        return id >= self.told or id in self.others or id in self.kept


class Weights:
    """The weights of a run whose strategy continues candidates and says whom it keeps (`Keeping`).

    Under any other strategy nothing is removed: there the user asked for the weights. A run may be resumed from either
    of the two snapshots on disk, so weights go only when neither needs them. A removal that a kill cut short is made up
    for after the next snapshot.
    """

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._before: _Needed | None = None

    def restored(self, fold: Fold[Any]) -> None:
        """The fold stands where the newest snapshot was written, or at its beginning."""
        self._before = _needed(fold) if fold.told else None

    def saved(self, fold: Fold[Any]) -> None:
        """A snapshot of the fold is on disk. Raises EnvironmentFailure where files cannot be removed."""
        before, now = self._before, _needed(fold)
        self._before = now
        if before is None or now is None:
            return
        for id, folder in folders(self._run.root / "candidates"):
            if id not in before and id not in now:
                _remove(folder)


def _needed(fold: Fold[Any]) -> _Needed | None:
    strategy: Any = fold.strategy
    if not (strategy.demands.hands_on and isinstance(strategy, Keeping)):
        return None
    position = fold.position
    sources = [candidate.proposal.continues for batch in position.pending for candidate in batch]
    others = frozenset([*(id for id, _ in fold.front.members), *(id for id in sources if id is not None)])
    return _Needed(position.told_evaluations, strategy.keeps(fold.state), others)


def folders(parent: Path) -> list[tuple[int, Path]]:
    """The candidates' own folders by id; links and other things are left alone."""
    if parent.is_symlink() or not parent.is_dir():
        return []
    with os.scandir(parent) as entries:
        found = [entry.name for entry in entries if entry.name.isdecimal() and entry.is_dir(follow_symlinks=False)]
    return sorted((int(name), parent / name) for name in found)


def _remove(folder: Path) -> None:
    """Removes the weights, and the folder where nothing else is in it."""
    try:
        (folder / WEIGHTS).unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFailure(f"cannot remove {folder / WEIGHTS}: {error.strerror}") from error
    with contextlib.suppress(OSError):  # a traceback is in it
        folder.rmdir()
