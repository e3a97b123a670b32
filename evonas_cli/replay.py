"""Replay: evaluates what a run has recorded once more, and compares bits."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from evonas_cli.core.evaluating import Evaluator
from evonas_cli.core.guarding import guard
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Candidate, Result, Unit
from evonas_cli.parts import Parts
from evonas_cli.store import records
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal


def replay(run: RunDirectory, parts: Parts) -> Iterator[tuple[int, str | None]]:
    """Evaluates every recorded candidate again; yields its id and what differs, or None when every bit is the same.

    Candidates that ran out of time or memory, or ended their workers, are skipped: the machine decided about them. So
    are copies, which `verify` compares with what they copy. A candidate that continues another waits for it. Files of
    the candidates go to a folder of their own, not into the run.
    """
    journal, names = Journal(run.journal, write=False), [objective.name for objective in parts.objectives]
    chance = ("timeout", "oom", "crashed")
    expected = {e["id"]: e for e in journal if "cached" not in e and e.get("error", {}).get("kind") not in chance}
    scratch = Path(tempfile.mkdtemp(prefix="evonas-replay-"))
    evaluator = parts.evaluator(RunDirectory(scratch))
    heirs: dict[int | None, list[int]] = {}
    for id, entry in expected.items():
        ancestor = entry.get("continues")
        heirs.setdefault(ancestor if ancestor in expected else None, []).append(id)
    try:
        evaluator.start()
        asks = _Asks(journal, evaluator, parts.space)
        evaluator.submit(asks.units([expected[id] for id in heirs.get(None, [])]))
        left = len(expected)
        while left:
            for result in evaluator.collect():
                left -= 1
                yield result.id, _difference(expected[result.id], guard(result, names))
                if result.id in heirs:
                    evaluator.submit(asks.units([expected[id] for id in heirs[result.id]]))
    finally:
        evaluator.close()
        shutil.rmtree(scratch)


class _Asks:
    """The asks of which some were trained in one program; the evaluator divides them as it did in the run."""

    def __init__(self, journal: Journal, evaluator: Evaluator[Any], space: Space[Any]) -> None:
        self._evaluator, self._space = evaluator, space
        stacked = {entry["step"] for entry in journal if records.stack_of(entry)[1] > 1}
        self._asked: dict[int, list[Candidate[Any]]] = {step: [] for step in sorted(stacked)}
        for entry in journal:
            if entry["step"] in self._asked:
                self._asked[entry["step"]].append(records.candidate_of(entry, space))

    def units(self, entries: Sequence[dict[str, Any]]) -> list[Unit[Any]]:
        """Candidates that were trained in one program, together again where the whole ask is there; else each at its
        place of a program of that width."""
        found: list[Unit[Any]] = []
        for step, group in groupby(entries, key=itemgetter("step")):
            left = {entry["id"]: entry for entry in group}
            for unit in self._evaluator.units(self._asked[step]) if step in self._asked else []:
                places = {c.id: (place, unit.width) for c, place in zip(unit.candidates, unit.places, strict=True)}
                same = {id for id, place in places.items() if id in left and records.stack_of(left[id]) == place}
                found += [unit.among(same)] if same else []
                left = {id: entry for id, entry in left.items() if id not in same}
            for entry in left.values():
                place, width = records.stack_of(entry)
                found.append(Unit((records.candidate_of(entry, self._space),), width, (place,)))
        return found


def _difference(entry: dict[str, Any], result: Result) -> str | None:
    if entry["status"] != result.status:
        return f"recorded {entry['status']}, now {result.status}"
    for name in sorted({*entry["metrics"], *result.metrics}):
        before, now = entry["metrics"].get(name), result.metrics.get(name)
        if before != now and not name.endswith("_seconds"):
            return f"{name}: recorded {before}, now {now}"
    return None
