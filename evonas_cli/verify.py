"""Verification: folds the journal again from its first line and compares with everything the run has written.

A run is sound when the strategy, told the recorded results, proposes exactly the recorded genomes, and when snapshots,
populations and fronts are what that fold gives.
"""

from __future__ import annotations

import json
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
from evonas_cli.parts import Parts, chosen
from evonas_cli.refold import Unrecorded, hidden_randomness, refold, wavers
from evonas_cli.store import derived, figures, records, snapshots
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.files import write_bytes
from evonas_cli.store.journal import Journal, scan
from evonas_cli.store.lock import Lock
from evonas_cli.store.recorder import Recorder
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
        self.seen = 0
        self.strayed: int | None = None
        self.figures = {entry["step"]: entry for entry in written.figures}

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
        snapshot = self.run.snapshots / f"{told}.json"
        if snapshot.exists() and not fold.drained:
            self._compare(snapshot, snapshots.read(snapshot), snapshots.content(fold, self.space))
        population = self.run.root / "populations" / f"{told - 1}.json"
        if population.exists():
            self._compare(population, _load(population), derived.population_document(fold, self.journal.read))
        logged, given = self.figures.get(told - 1), figures.line(fold)
        if logged is not None and given is not None:
            self._compare(self.run.figures, logged, given)
        self.compare_front(fold)

    def compare_front(self, fold: Fold[Any]) -> None:
        """Compares the front written for where the fold stands."""
        front = self.run.root / "fronts" / f"{fold.front_step}.json"
        if front.exists():
            self._compare(front, _load(front), derived.front_file(fold, self.journal.read))

    def _compare(self, path: Path, found: Json, expected: Json) -> None:
        if json.dumps(found, sort_keys=True) != json.dumps(json.loads(json.dumps(expected)), sort_keys=True):
            self.verdict.problems.append(f"{path} is not what the journal gives; --repair writes it again")


def _load(path: Path) -> Json:
    try:
        data: Json = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return data


def verify(run: RunDirectory, parts: Parts) -> Verdict:
    """Folds the journal and compares. Reads only; a run in progress is judged by what it has recorded so far."""
    verdict, written = Verdict(), Written(run.root)
    found = scan(run.journal) if run.journal.exists() else None
    if found is None or found.damaged:
        where = f"line {found.damaged[0]} is damaged" if found else "it is missing"
        remedy = "keeps the good lines" if found else "begins an empty one and drops what was derived from the old one"
        verdict.problems.append(f"{run.journal}: {where}; --repair {remedy}")
        return verdict
    journal = Journal(run.journal, write=False)
    shown = written.status.get("evaluations", 0)
    if isinstance(shown, int) and shown > len(journal):
        verdict.problems.append(f"status.json tells of {shown} evaluations, the journal holds {len(journal)}")
    known = len(verdict.problems)
    store, fold = _Comparing(run, journal, parts.space, written, verdict), parts.fold()
    verdict.complete = refold(fold, store, _late(fold, run, journal))
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
    verdict.digest = records.digest(journal, fold.strategy.population(fold.state), front)
    return verdict


def _wrong_copies(run: RunDirectory, parts: Parts, journal: Journal) -> Iterator[str]:
    """Lines that are no copies of what they name, or should be copies. Raises RunError for what is no genome."""
    on = parts.config["dedupe"] != "none"
    cache: Cache[Any] = Cache(parts.keys(run.metadata()["environment"]) if on else None)
    for entry in journal if on or any("cached" in entry for entry in journal) else ():
        candidate, result = records.candidate_of(entry, parts.space), records.result_of(entry)
        original = cache.original(candidate)
        owner = None if original is None else original.id
        if result.cached != owner:
            yield f"candidate {candidate.id} is recorded as {_origin(result.cached)}, but should be {_origin(owner)}"
        elif original is not None and copy(original, candidate.id) != result:
            yield f"candidate {candidate.id} is recorded as a copy of {owner}, whose result is another one"
        cache.learn(candidate, result)


def _origin(cached: int | None) -> str:
    return "evaluated" if cached is None else f"a copy of {cached}"


def _late(fold: Fold[Any], run: RunDirectory, journal: Journal) -> Callable[[], bool]:
    """When a run that budget.seconds ended asks no more: after everything that it has recorded."""
    ended = fold.budget.seconds is not None and run.status().get("state") in ("done", "failed")
    return lambda: ended and fold.next_id > journal.highest


def repair(run: RunDirectory, parts: Parts) -> list[str]:
    """Keeps the good lines of the journal and writes everything derived again; returns what was done.

    The damaged journal stays beside the new one as `journal.damaged.jsonl`. Raises LockedError, and RunError where the
    user's own parts make something else of one journal each time.
    """
    lock = Lock(run.lock)
    try:
        done = _mend_journal(run)
        if not (is_ours(parts.strategy) and is_ours(parts.space)) and wavers(parts, Journal(run.journal, write=False)):
            raise RunError(hidden_randomness(parts))
        before = Written(run.root).names()
        for folder in derived.FOLDERS:
            for path in snapshots.numbered(run.root / folder):
                path.unlink()
        (run.root / "pareto.csv").unlink(missing_ok=True)
        settings = chosen(parts.config, run.metadata()["environment"])
        recorder = Recorder(run, parts.space, lambda: 0.0, **parts.config["snapshot"], settings=settings)
        try:
            fold = parts.fold()
            complete = refold(fold, recorder, _late(fold, run, recorder.journal))
            ended = "done" if fold.front.members else "failed"
            recorder.finish(fold, ended if complete else "interrupted", "repaired")
        finally:
            recorder.close()
        now = Written(run.root).names()
        dropped = [name for name in before if name not in now]
        done.append(f"wrote {_listed([*now, 'status.json'])} again")
        return done + ([f"dropped {_listed(dropped)}, for which the journal holds too little"] if dropped else [])
    finally:
        lock.release()


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _mend_journal(run: RunDirectory) -> list[str]:
    found = scan(run.journal) if run.journal.exists() else None
    if found is None:
        run.journal.touch()
        return ["made an empty journal"]
    raw = run.journal.read_bytes()
    kept: dict[int, bytes] = {}
    for id, offset in found.good:
        kept.setdefault(id, raw[offset : raw.index(b"\n", offset) + 1])
    good = b"".join(kept.values())
    if good == raw:
        return []
    write_bytes(run.root / "journal.damaged.jsonl", raw, durable=True)
    write_bytes(run.journal, good, durable=True)
    return [f"kept {len(kept)} good lines of the journal; the old file is journal.damaged.jsonl"]
