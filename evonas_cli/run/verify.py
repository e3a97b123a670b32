"""Verification: folds the journal again from its first line and compares with everything the run has written.

A run is sound when the strategy, told the recorded results, proposes exactly the recorded genomes, and when snapshots,
populations and fronts are what that fold gives.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evonas_cli.core.blame import is_ours
from evonas_cli.core.cache import Cache, copy
from evonas_cli.core.errors import RunError
from evonas_cli.core.fold import Fold
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Candidate, Json, Result
from evonas_cli.run.assembly import Parts
from evonas_cli.run.refold import Unrecorded, hidden_randomness, refold, wavers
from evonas_cli.run.speed import chosen
from evonas_cli.store import derived, figures, records, snapshots
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.files import wrong_kind
from evonas_cli.store.journal import Journal, scan
from evonas_cli.store.lock import Lock
from evonas_cli.store.mending import free_lock, make_way, mend_journal, remove_derived
from evonas_cli.store.reading import LARGE, Absent, read_json
from evonas_cli.store.recorder import Recorder
from evonas_cli.store.volume import Volume
from evonas_cli.store.written import Written


@dataclass
class Verdict:
    """What verification found. `digest` identifies the run's outcome; `complete` says that its budget was used up."""

    evaluations: int = 0
    digest: str = ""
    complete: bool = False
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problems

    def document(self) -> dict[str, Json]:
        """The verdict as JSON."""
        return {
            "schema": 1,
            "ok": self.ok,
            "evaluations": self.evaluations,
            "digest": self.digest,
            "complete": self.complete,
            "problems": self.problems,
        }


class _Comparing:
    """A store that knows the journal and compares what a run has written at each step with what the fold gives.

    `strayed` is the first candidate that the journal has otherwise than the fold proposes it.
    """

    def __init__(
        self, run: RunDirectory, journal: Journal, space: Space[Any], written: Written, verdict: Verdict
    ) -> None:
        self.run, self.journal, self.space, self.verdict = run, journal, space, verdict
        self.strayed: int | None = None
        self.seen, self.mark = 0, run.mark()
        self.misplaced = {path for path, _ in run.misplaced()}
        self.figures, self.volume = {entry["step"]: entry for entry in written.figures}, Volume(journal.read)

    def restore(self, fold: Fold[Any]) -> list[Candidate[Any]]:
        return []

    def result(self, candidate: Candidate[Any]) -> Result | None:
        if candidate.id not in self.journal:
            return None
        self.seen += 1
        data = self.journal.read(candidate.id)
        try:
            records.check_same(candidate, data, self.space)
        except RunError as error:
            self.strayed = candidate.id
            self.verdict.problems.append(str(error))
            raise Unrecorded from error
        return records.result_of(data)

    def told_results(self, fold: Fold[Any]) -> Iterator[tuple[Candidate[Any], Result]]:
        return iter(())

    def record(self, arrived: Sequence[tuple[Candidate[Any], Result]]) -> None:
        raise AssertionError("verification records nothing")

    def told(self, fold: Fold[Any]) -> None:
        told = fold.position.told
        if not fold.drained:
            self._compare_file(
                self.run.snapshots / f"{told}.json",
                snapshots.read,
                lambda: snapshots.content(fold, self.space, self.journal, self.mark),
            )
        self._compare_file(
            self.run.root / "populations" / f"{told - 1}.json",
            _document,
            lambda: derived.population_document(fold, self.journal.read),
        )
        logged, given = self.figures.get(told - 1), figures.line(fold, self.volume)
        if logged is not None and given is not None:
            if figures.VOLUME not in logged:  # a version before there was one wrote the line
                given.pop(figures.VOLUME, None)
            self._compare(self.run.figures, logged, given)
        self.compare_front(fold)

    def compare_front(self, fold: Fold[Any]) -> None:
        """Compares the front written for where the fold stands."""
        front = self.run.root / "fronts" / f"{fold.front_step}.json"
        self._compare_file(front, _document, lambda: derived.front_file(fold, self.journal.read))

    def _compare_file(self, path: Path, read: Callable[[Path], Json], expected: Callable[[], Json]) -> None:
        """Compares the file, if there is one; a snapshot in the format of another version is not used."""
        if path.parent in self.misplaced or not os.path.lexists(path):
            return
        what = wrong_kind(path)
        if what is not None:
            self.verdict.problems.append(f"{path} is {what}; --repair writes it again")
            return
        try:
            found = read(path)
        except (Absent, snapshots.OtherFormat):
            return
        except RunError as error:
            self.verdict.problems.append(f"{error}; --repair writes it again")
        else:
            self._compare(path, found, expected())

    def _compare(self, path: Path, found: Json, expected: Json) -> None:
        if json.dumps(found, sort_keys=True) != json.dumps(json.loads(json.dumps(expected)), sort_keys=True):
            self.verdict.problems.append(f"{path} is not what the journal gives; --repair writes it again")


def _document(path: Path) -> Json:
    return read_json(path, LARGE)


def verify(run: RunDirectory, parts: Parts) -> Verdict:
    """Folds the journal and compares. Reads only; a run in progress is judged by what it has recorded so far."""
    written = Written(run)
    verdict = Verdict(problems=list(written.problems))
    found = scan(run.journal) if run.journal.exists() else None
    if run.journal.is_symlink():
        verdict.problems.append(f"{run.journal} is a symbolic link; put the file itself there")
    if found is None or found.damaged:
        where = f"line {found.damaged[0]} is damaged" if found else "it is missing"
        remedy = "keeps the good lines" if found else "begins an empty one and drops what was derived from the old one"
        verdict.problems.append(f"{run.journal}: {where}; --repair {remedy}")
        return verdict
    journal = Journal(run.journal, write=False)
    shown = written.status.get("evaluations", 0)
    if shown > len(journal):
        verdict.problems.append(f"status.json tells of {shown} evaluations, the journal holds {len(journal)}")
    known = len(verdict.problems)
    store, fold = _Comparing(run, journal, parts.space, written, verdict), parts.fold()
    whole = refold(fold, store)
    asked = store.strayed is None and fold.next_id > journal.highest
    verdict.complete = whole or (asked and _timed(fold, run))
    hidden = len(verdict.problems) > known and wavers(parts, journal, store.strayed)
    if hidden:
        verdict.problems[known:] = [hidden_randomness(parts)]
    verdict.evaluations = len(journal)
    if verdict.complete and fold.cut_steps:
        store.compare_front(fold)
    verdict.problems += [] if hidden else written.unfounded(fold, journal)
    if verdict.ok and store.seen < len(journal) and verdict.complete:
        verdict.problems.append(
            f"the journal has {len(journal) - store.seen} candidates that the search never asks for"
        )
    try:
        verdict.problems += _wrong_copies(run, parts, journal)
    except RunError as error:
        verdict.problems.append(str(error))
    front = [id for id, _ in fold.front.members]
    verdict.digest = records.digest(journal, fold.strategy.population(fold.state), front, parts.measured)
    return verdict


def _wrong_copies(run: RunDirectory, parts: Parts, journal: Journal) -> Iterator[str]:
    """Lines that are no copies of what they name, or should be copies. Raises RunError for what is no genome."""
    on = parts.config["dedupe"] != "none"
    cache: Cache[Any] = Cache(parts.keys(run.metadata()["environment"]) if on else None, parts.spent)
    for entry in journal if on or any("cached" in entry for entry in journal) else ():
        candidate, result = records.candidate_of(entry, parts.space), records.result_of(entry)
        original = cache.original(candidate)
        owner = None if original is None else original.id
        if result.cached != owner:
            yield f"candidate {candidate.id} is recorded as {_origin(result.cached)}, but should be {_origin(owner)}"
        elif original is not None and copy(original, candidate.id, parts.spent) != result:
            yield f"candidate {candidate.id} is recorded as a copy of {owner}, whose result is another one"
        cache.learn(candidate, result)


def _origin(cached: int | None) -> str:
    return "evaluated" if cached is None else f"a copy of {cached}"


def _timed(fold: Fold[Any], run: RunDirectory) -> bool:
    """Whether budget.seconds may have ended the run, so that what was asked last may be missing."""
    return fold.budget.seconds is not None and run.status().get("state") in ("done", "failed")


def repair(run: RunDirectory, parts: Parts) -> list[str]:
    """Keeps the good lines of the journal and writes everything derived again; returns what was done.

    The damaged journal stays beside the new one as `journal.damaged.jsonl`. Raises LockedError, and RunError for a
    journal that is no regular file, or where the user's own parts make something else of one journal each time.
    """
    done = free_lock(run)
    lock = Lock(run.lock)
    try:
        done += [*make_way(run), *mend_journal(run)]
        if not (is_ours(parts.strategy) and is_ours(parts.space)) and wavers(parts, Journal(run.journal, write=False)):
            raise RunError(hidden_randomness(parts))
        before = Written(run).names()
        remove_derived(run)
        given = parts.config["snapshot"]
        settings = chosen(parts.config, run.metadata()["environment"])
        recorder = Recorder(run, parts.space, lambda: 0.0, **given, settings=settings, mark=run.mark())
        try:
            fold = parts.fold()
            timed = _timed(fold, run)
            complete = refold(fold, recorder) or (timed and fold.next_id > recorder.journal.highest)
            ended = "done" if fold.front.members else "failed"
            recorder.finish(fold, ended if complete else "interrupted", "repaired")
        finally:
            recorder.close()
        now = Written(run).names()
        dropped = [name for name in before if name not in now]
        done.append(f"wrote {_listed([*now, 'status.json'])} again")
        return done + ([f"dropped {_listed(dropped)}, for which the journal holds too little"] if dropped else [])
    finally:
        lock.release()


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
