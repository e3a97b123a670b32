"""Kept weights: removed once neither of the two snapshots needs them, and only under a strategy that says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.evaluating import WEIGHTS
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.types import Candidate, Objective, Result
from evonas_cli.spaces.bits import Bits
from evonas_cli.store import snapshots
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.recorder import Recorder
from evonas_cli.strategies.genetic import Genetic

SPACE: Any = Bits(8)
OBJECTIVES = (Objective("loss", "min"),)
BEST = 5
"""The candidate that has the least loss of the first three generations; later ones are better still."""


def losses(id: int) -> float:
    return {BEST: 0.1}.get(id, 0.5 + id / 1000) if id < 12 else 1 / id


class Session:
    """A run whose candidates leave weights, told generation by generation."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.run = RunDirectory(root)
        given = {"space": SPACE, "population_size": 4, "archive": False, "inherit": "weights"} | settings
        strategy = Genetic(**given)
        self.fold: Fold[Any] = Fold(strategy, OBJECTIVES, 3, 1, Budget(evaluations=400))
        self.recorder = Recorder(self.run, SPACE, lambda: 0.0, every=4, growth=1.0)
        self.pending = self.recorder.restore(self.fold)

    def generations(self, count: int) -> None:
        for _ in range(count):
            batch: Sequence[Candidate[Any]] = self.fold.ask()
            for candidate in batch:
                folder = self.run.folder(candidate.id)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / WEIGHTS).write_text("weights")
                result = self.recorder.result(candidate)
                if result is None:
                    result = Result(candidate.id, "ok", {"loss": losses(candidate.id)})
                    self.recorder.record([(candidate, result)])
                self.fold.add(candidate, result)
            self.fold.tell()
            self.recorder.told(self.fold)

    def close(self) -> None:
        self.recorder.close()

    def kept(self) -> set[int]:
        return {int(path.parent.name) for path in self.run.root.glob(f"candidates/*/{WEIGHTS}")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "run.json").write_text(
        '{"format": 1, "identity": {}, "environment": {}, "choices": {}, "allowed_modules": [], "created": "now"}'
    )
    return tmp_path


def test_nothing_goes_before_there_are_two_snapshots(root: Path) -> None:
    session = Session(root)
    session.generations(1)
    assert session.kept() == {0, 1, 2, 3}


def test_what_neither_snapshot_needs_goes_with_its_folder(root: Path) -> None:
    session = Session(root)
    session.generations(3)
    assert [int(path.stem) for path in snapshots.numbered(session.run.snapshots)] == [2, 3]
    assert session.kept() == {BEST, 8, 9, 10, 11}
    assert sorted(int(path.name) for path in (root / "candidates").iterdir()) == [BEST, 8, 9, 10, 11]


def test_the_one_before_keeps_whom_it_needs(root: Path) -> None:
    """Generation 4 has a new best: whoever goes on from the snapshot before it still needs the old one."""
    session = Session(root)
    session.generations(4)
    assert BEST in session.kept()
    session.generations(1)
    assert BEST not in session.kept()


def test_a_resumed_run_goes_on_removing(root: Path) -> None:
    session = Session(root)
    session.generations(2)
    session.close()
    resumed = Session(root)
    assert resumed.fold.told == 2
    resumed.generations(1)
    assert resumed.kept() == {BEST, 8, 9, 10, 11}


def test_a_run_that_goes_back_to_the_snapshot_before_finds_all_that_it_needs(root: Path) -> None:
    session = Session(root)
    session.generations(5)
    session.close()
    newest = snapshots.numbered(session.run.snapshots)[-1]
    newest.write_text(newest.read_text()[:-9])
    resumed = Session(root)
    assert resumed.fold.told == 4
    sources = {candidate.proposal.continues for candidate in resumed.fold.ask()}
    assert sources and sources <= resumed.kept()


def test_a_removal_that_was_cut_short_is_made_up_for(root: Path) -> None:
    session = Session(root)
    session.generations(3)
    (root / "candidates" / "2").mkdir()
    (root / "candidates" / "2" / WEIGHTS).write_text("left behind by a kill")
    session.generations(1)
    assert 2 not in session.kept()


def test_tracebacks_and_foreign_things_stay(root: Path) -> None:
    elsewhere = root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / WEIGHTS).write_text("somebody else's")
    session = Session(root)
    session.generations(1)
    (root / "candidates" / "1" / "traceback.txt").write_text("why")
    (root / "candidates" / "notes").mkdir()
    (root / "candidates" / "77").symlink_to(elsewhere)
    session.generations(2)
    assert (root / "candidates" / "1" / "traceback.txt").exists() and 1 not in session.kept()
    assert (root / "candidates" / "notes").exists() and (elsewhere / WEIGHTS).exists()


def test_without_inheritance_all_weights_stay(root: Path) -> None:
    session = Session(root, inherit="none")
    session.generations(5)
    assert session.kept() == set(range(session.fold.next_id))


def test_weights_that_cannot_be_removed_stop_the_run(root: Path) -> None:
    session = Session(root)
    session.generations(2)
    (root / "candidates" / "0" / WEIGHTS).unlink()
    (root / "candidates" / "0" / WEIGHTS).mkdir()
    with pytest.raises(EnvironmentFailure, match=r"cannot remove .*candidates/0/state.pt"):
        session.generations(1)
