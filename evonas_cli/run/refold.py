"""Folding a journal once more without evaluating anything, and whether two folds of one journal agree."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from evonas_cli.core.blame import is_ours
from evonas_cli.core.fold import Fold
from evonas_cli.core.halting import Deadline, Ended
from evonas_cli.core.types import Candidate, Json, Result, Unit
from evonas_cli.run.assembly import Parts
from evonas_cli.run.search import search
from evonas_cli.store import records, snapshots
from evonas_cli.store.journal import Journal


class Unrecorded(Exception):
    """The fold needs a result that the journal does not have: the run is not finished."""


class _Nothing:
    """An evaluator that evaluates nothing."""

    slots = 0

    def start(self) -> dict[str, Json]:
        return {}

    def units(self, asked: Sequence[Candidate[Any]]) -> list[Unit[Any]]:
        return [Unit((candidate,)) for candidate in asked]

    def submit(self, units: Sequence[Unit[Any]]) -> None:
        pass

    def collect(self, deadline: Deadline | None = None) -> list[Result]:
        raise Unrecorded

    def stop(self) -> Ended:
        return Ended()

    def close(self) -> None:
        pass


def refold(fold: Fold[Any], store: Any) -> bool:
    """Folds what the store has; returns whether nothing is missing."""
    try:
        search(fold, _Nothing(), store)
    except Unrecorded:
        fold.close()
        return False
    return True


class _Listing:
    """A store that lists what the fold proposes, up to the candidate `last`, and tells it what the journal has."""

    def __init__(self, journal: Journal, last: float) -> None:
        self.journal, self.last = journal, last
        self.proposed: list[Candidate[Any]] = []

    def restore(self, fold: Fold[Any]) -> list[Candidate[Any]]:
        return []

    def result(self, candidate: Candidate[Any]) -> Result | None:
        self.proposed.append(candidate)
        if candidate.id not in self.journal or candidate.id >= self.last:
            raise Unrecorded
        return records.result_of(self.journal.read(candidate.id))

    def told_results(self, fold: Fold[Any]) -> Iterator[tuple[Candidate[Any], Result]]:
        return iter(())

    def record(self, arrived: Sequence[tuple[Candidate[Any], Result]]) -> None:
        raise AssertionError("a fold of the journal records nothing")

    def told(self, fold: Fold[Any]) -> None:
        pass


def wavers(parts: Parts, journal: Journal, last: int | None = None) -> bool:
    """Whether two folds of the journal disagree about the proposals, up to the candidate `last`, or the last state."""
    return _folded(parts, journal, last) != _folded(parts, journal, last)


def _folded(parts: Parts, journal: Journal, last: int | None) -> str:
    store, fold = _Listing(journal, math.inf if last is None else last), parts.fold()
    refold(fold, store)
    asked = [
        [_written(parts, candidate.proposal.genome), candidate.proposal.parents, candidate.proposal.operator]
        for candidate in store.proposed
    ]
    return json.dumps([asked, snapshots.content(fold, parts.space, journal, "")], sort_keys=True)


def _written(parts: Parts, genome: Any) -> Json:
    return None if genome is None else parts.space.to_json(genome)


def hidden_randomness(parts: Parts) -> str:
    """The verdict on a run whose folds disagree."""
    group, part = ("space", parts.space) if is_ours(parts.strategy) else ("strategy", parts.strategy)
    return (
        f"{group} {type(part).__name__} does not depend on its generator alone: two folds of one journal give "
        "different proposals; draw from the rng that is given, and keep nothing in self"
    )
