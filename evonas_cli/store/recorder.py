"""What a running search writes: the journal first, then everything derived from it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from evonas_cli.core.fold import Fold
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Candidate, Json, Result
from evonas_cli.store import derived, records, snapshots
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.figures import FiguresLog
from evonas_cli.store.files import discard, write_json, write_text
from evonas_cli.store.journal import Journal
from evonas_cli.store.throughput import Meter, ThroughputLog, summary
from evonas_cli.store.weights import Weights

Watch = Callable[[Candidate[Any], Result], None]
SNAPSHOT_SHARE = 0.05
"""Of a session's time, what snapshots may take before one that is due is left out."""
SHOWN_SECONDS = 1.0
"""While a search is running, status.json and pareto.csv are at least that old before they are written again."""


class Recorder:
    """The store of a run directory (a RunStore). The caller holds the run's lock.

    Populations and fronts are written when `every` further evaluations have been told, and more rarely as a run grows
    (each `growth` times as many evaluations), so that a run of a million leaves hundreds of files. A snapshot is
    written beside them unless the session has spent more than `SNAPSHOT_SHARE` of its time on snapshots: where
    evaluations cost microseconds, folding them again costs less than writing and syncing them over and over. `meter`
    has to be told what the evaluator, of so many `workers`, was given and gave back. status.json shows `settings`.
    `mark` tells the run from others; what carries another one decides nothing.
    `watch` is shown what is recorded, `recalled` the front of the last snapshot and what was recorded after it.
    `in_flight` tells the ids of candidates that are being evaluated, unit by unit.
    """

    def __init__(
        self,
        run: RunDirectory,
        space: Space[Any],
        clock: Callable[[], float],
        every: int = 20,
        growth: float = 1.05,
        watch: Watch = lambda candidate, result: None,
        workers: int = 1,
        settings: Mapping[str, Json] = MappingProxyType({}),
        mark: str = "",
    ) -> None:
        run.check_places()
        self._settings, self._mark = dict(settings), mark
        self.recalled: Watch = lambda candidate, result: None
        self.in_flight: Callable[[], list[list[int]]] = list
        self.run, self.space, self.every, self.growth, self.watch = run, space, every, growth, watch
        self.journal = Journal(run.journal)
        self.figures = FiguresLog(run.figures, self.journal.read)
        self.meter, self._measured = Meter(workers, clock), ThroughputLog(run.throughput)
        self._clock, self._opened = clock, clock()
        self._ended: float | None = None
        recorded: float = self.journal.last["elapsed"] if len(self.journal) else 0.0
        own = run.status().get("run", "") == mark
        self._before = max(recorded, run.elapsed() if own else 0.0)
        self._due = every
        self._shown = self._tabled = self._submitted = -math.inf
        self._on_snapshots = 0.0
        self._fold: Fold[Any] | None = None
        self._weights = Weights(run)

    @property
    def elapsed(self) -> float:
        """Seconds the run has been at work, all its sessions together, as far as results were recorded: a session's
        begin when workers that have started are given something, and end when all is written."""
        if self.meter.began is None:
            return self._before
        return self._before + (self._clock() if self._ended is None else self._ended) - self.meter.began

    def throughput(self) -> dict[str, float | None]:
        """Measured figures of all sessions, as status.json has them."""
        return summary(self.journal.spent, self.elapsed, self._measured.idle_share)

    def restore(self, fold: Fold[Any]) -> list[Candidate[Any]]:
        """Brings the fold to the newest usable snapshot, and drops what was derived later; returns the candidates
        pending there."""
        pending = snapshots.restore(self.run.snapshots, fold, self.space, self.journal, self._mark)
        self._drop(fold.position.told)
        self._weights.restored(fold)
        self._plan(fold)
        self._fold = fold
        self.status(fold, "running")
        for id, _ in fold.front.members:
            data = self.journal.read(id)
            self.recalled(records.candidate_of(data, self.space), records.result_of(data))
        return pending

    def told_results(self, fold: Fold[Any]) -> Iterator[tuple[Candidate[Any], Result]]:
        """The journal's lines before the place of the fold."""
        for id in range(fold.position.told_evaluations):
            data = self.journal.read(id)
            yield records.candidate_of(data, self.space), records.result_of(data)

    def result(self, candidate: Candidate[Any]) -> Result | None:
        """The journal's result for the candidate, checked to be about the same genome."""
        if candidate.id not in self.journal:
            return None
        data = self.journal.read(candidate.id)
        records.check_same(candidate, data, self.space)
        result = records.result_of(data)
        self.recalled(candidate, result)
        return result

    def record(self, arrived: Sequence[tuple[Candidate[Any], Result]]) -> None:
        """Appends to the journal, then shows the results."""
        now, elapsed = self._clock(), self.elapsed
        self.journal.append([records.entry(candidate, result, self.space, elapsed) for candidate, result in arrived])
        if self._fold is not None and now - self._shown >= SHOWN_SECONDS:
            self.status(self._fold, "running")
        for candidate, result in arrived:
            self.watch(candidate, result)

    def submitted(self) -> None:
        """The evaluator was given candidates: status.json tells of them, also where the first takes an hour."""
        if self._fold is not None and self._clock() - self._submitted >= SHOWN_SECONDS:
            self._submitted = self._clock()
            self.status(self._fold, "running")

    def told(self, fold: Fold[Any]) -> None:
        """Takes the strategy's figures; writes a snapshot, population, front and table when they are due."""
        self.figures.add(fold)
        line = self.meter.told(fold.told - 1)
        if line is not None:
            self._measured.add(line)
        if fold.drained or fold.told_evaluations < self._due:
            return
        if self._on_snapshots <= SNAPSHOT_SHARE * (self._clock() - self._opened):
            self._save(fold)
        front = derived.write_step(self.run.root, fold, self.journal.read)
        if self._clock() - self._tabled >= SHOWN_SECONDS:
            self._write_table(front)
        self._plan(fold)

    def _write_table(self, front: Mapping[str, Any]) -> None:
        self._tabled = self._clock()
        write_text(self.run.root / "pareto.csv", derived.pareto_csv(front))

    def _save(self, fold: Fold[Any]) -> None:
        began = self._clock()
        self.journal.sync()
        self.figures.flush(durable=True)
        snapshots.save(self.run.snapshots, fold, self.space, self.journal, self._mark)
        self._weights.saved(fold)
        self._on_snapshots += self._clock() - began

    def status(self, fold: Fold[Any], state: str, reason: str = "") -> None:
        """Writes status.json."""
        self._shown = self._clock()
        self.figures.flush()
        self._measured.flush()
        document: dict[str, Any] = {
            "schema": 1,
            "run": self._mark,
            "state": state,
            "reason": reason,
            "evaluations": len(self.journal),
            "cached": fold.position.cached,
            "told_steps": fold.told,
            "front": [id for id, _ in fold.front.members],
            "best": derived.best(fold),
            "budget": asdict(fold.budget),
            "in_flight": self.in_flight(),
            "cost": fold.position.cost,
            "elapsed_seconds": round(self.elapsed, 3),
            "throughput": self.throughput(),
            "settings": self._settings,
            "process": os.getpid(),
        }
        reference = self.figures.volume.reference(fold)
        if reference is not None:
            point = zip(fold.objectives, reference, strict=True)
            document["reference"] = {objective.name: objective.metric(loss) for objective, loss in point}
        write_json(self.run.root / "status.json", document)

    def finish(self, fold: Fold[Any], state: str, reason: str = "") -> None:
        """Writes all derived files for where the fold stands, unless it was stopped in a tell, between two places."""
        self.journal.sync()
        if fold.told and not fold.telling:
            self._write_table(derived.write_step(self.run.root, fold, self.journal.read))
        self._ended = self._clock()
        self.status(fold, state, reason)

    def close(self) -> None:
        """Writes what cannot be derived again, and closes the journal."""
        try:
            self._measured.flush()
        finally:
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
                    discard(path)
        self.figures.restore(told)

    def _plan(self, fold: Fold[Any]) -> None:
        told = fold.told_evaluations
        self._due = max(told + self.every, math.ceil(told * self.growth))


class Memory:
    """A store for experiments that leave no trace: results are shown to `watch`, by ascending id, and dropped."""

    def __init__(self, watch: Watch = lambda candidate, result: None) -> None:
        self.watch, self._shown = watch, 0
        self._early: dict[int, tuple[Candidate[Any], Result]] = {}

    def restore(self, fold: Fold[Any]) -> list[Candidate[Any]]:
        """Nothing is pending."""
        return []

    def told_results(self, fold: Fold[Any]) -> Iterator[tuple[Candidate[Any], Result]]:
        """Nothing was told."""
        return iter(())

    def result(self, candidate: Candidate[Any]) -> Result | None:
        """Nothing is known."""
        return None

    def record(self, arrived: Sequence[tuple[Candidate[Any], Result]]) -> None:
        """Shows the results whose turn it is: that of a repeated candidate is there before those it was asked with."""
        for candidate, result in arrived:
            self._early[candidate.id] = (candidate, result)
        while self._shown in self._early:
            self.watch(*self._early.pop(self._shown))
            self._shown += 1

    def told(self, fold: Fold[Any]) -> None:
        """Nothing to write."""
