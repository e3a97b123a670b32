"""What a running search writes: the journal first, then everything derived from it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any

from evonas_cli.core.fold import Fold
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Candidate, Result
from evonas_cli.store import derived, records, snapshots
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.figures import FiguresLog
from evonas_cli.store.files import write_json
from evonas_cli.store.journal import Journal

Watch = Callable[[Candidate[Any], Result], None]


class Recorder:
    """The store of a run directory (a RunStore). The caller holds the run's lock.

    Snapshots, populations and fronts are written when `every` further evaluations have been told, and more rarely as a
    run grows (each `growth` times as many evaluations), so that a run of a million leaves hundreds of files.
    """

    def __init__(
        self,
        run: RunDirectory,
        space: Space[Any],
        clock: Callable[[], float],
        every: int = 20,
        growth: float = 1.05,
        watch: Watch = lambda candidate, result: None,
    ) -> None:
        self.run, self.space, self.every, self.growth, self.watch = run, space, every, growth, watch
        self.journal, self.figures = Journal(run.journal), FiguresLog(run.figures)
        self._clock, self._began = clock, clock()
        recorded: float = self.journal.last["elapsed"] if len(self.journal) else 0.0
        self._before = max(recorded, run.elapsed())
        self._due = every
        self._shown = -math.inf
        self._fold: Fold[Any] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds the run has been running, all its sessions together, as far as results were recorded."""
        return self._before + self._clock() - self._began

    def restore(self, fold: Fold[Any]) -> list[Candidate[Any]]:
        """Brings the fold to the newest usable snapshot, and drops what was derived later; returns the candidates
        pending there."""
        pending = snapshots.restore(self.run.snapshots, fold, self.space, self.journal)
        self._drop(fold.position.told)
        self._plan(fold)
        self._fold = fold
        self.status(fold, "running")
        return pending

    def result(self, candidate: Candidate[Any]) -> Result | None:
        """The journal's result for the candidate, checked to be about the same genome."""
        if candidate.id not in self.journal:
            return None
        data = self.journal.read(candidate.id)
        records.check_same(candidate, data, self.space)
        return records.result_of(data)

    def record(self, arrived: Sequence[tuple[Candidate[Any], Result]]) -> None:
        """Appends to the journal, then shows the results."""
        elapsed = self.elapsed
        self.journal.append([records.entry(candidate, result, self.space, elapsed) for candidate, result in arrived])
        if self._fold is not None:
            self.status(self._fold, "running")
        for candidate, result in arrived:
            self.watch(candidate, result)

    def told(self, fold: Fold[Any]) -> None:
        """Takes the strategy's figures; writes a snapshot and the derived files when they are due."""
        self.figures.add(fold)
        if fold.drained or fold.position.told_evaluations < self._due:
            return
        self.journal.sync()
        self.figures.flush(durable=True)
        snapshots.save(self.run.snapshots, fold, self.space)
        derived.write_step(self.run.root, fold, self.journal.read)
        self._plan(fold)

    def status(self, fold: Fold[Any], state: str, reason: str = "") -> None:
        """Writes status.json; while running at most once a second."""
        if state == "running" and self._clock() - self._shown < 1.0:
            return
        self._shown = self._clock()
        self.figures.flush()
        document: dict[str, Any] = {
            "schema": 1,
            "state": state,
            "reason": reason,
            "evaluations": len(self.journal),
            "told_steps": fold.position.told,
            "front": [id for id, _ in fold.front.members],
            "cost": fold.position.cost,
            "elapsed_seconds": round(self.elapsed, 3),
            "process": os.getpid(),
        }
        write_json(self.run.root / "status.json", document)

    def finish(self, fold: Fold[Any], state: str, reason: str = "") -> None:
        """Writes all derived files for where the fold stands."""
        self.journal.sync()
        if fold.position.told:
            derived.write_step(self.run.root, fold, self.journal.read)
        self.status(fold, state, reason)

    def close(self) -> None:
        """Closes the journal."""
        self.journal.close()

    def drop_end(self) -> None:
        """Removes what was derived after the newest snapshot, such as what the end of a budget gave."""
        kept = snapshots.numbered(self.run.snapshots)
        self._drop(int(kept[-1].stem) if kept else 0)

    def _drop(self, told: int) -> None:
        """Removes what was derived when more steps were told than this: newer snapshots that are of no use would have
        new ones taken for the oldest, and the end of a shorter budget wrote files that a longer one does not reach."""
        for folder, last in (("snapshots", told), ("populations", told - 1), ("fronts", told - 1)):
            for path in snapshots.numbered(self.run.root / folder):
                if int(path.stem) > last:
                    path.unlink()
        self.figures.restore(told)

    def _plan(self, fold: Fold[Any]) -> None:
        told = fold.position.told_evaluations
        self._due = max(told + self.every, math.ceil(told * self.growth))


class Memory:
    """A store for experiments that leave no trace: results are shown to `watch` and dropped."""

    def __init__(self, watch: Watch = lambda candidate, result: None) -> None:
        self.watch = watch

    def restore(self, fold: Fold[Any]) -> list[Candidate[Any]]:
        """Nothing is pending."""
        return []

    def result(self, candidate: Candidate[Any]) -> Result | None:
        """Nothing is known."""
        return None

    def record(self, arrived: Sequence[tuple[Candidate[Any], Result]]) -> None:
        """Shows the results."""
        for candidate, result in arrived:
            self.watch(candidate, result)

    def told(self, fold: Fold[Any]) -> None:
        """Nothing to write."""
