"""Replay: evaluates what a run has recorded once more, and compares bits."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Container, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

from evonas_cli.core.failures import machine_decided
from evonas_cli.core.guard import guard, required
from evonas_cli.core.types import Result
from evonas_cli.run import openings
from evonas_cli.run.assembly import Parts
from evonas_cli.run.retraining import Asks
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal
from evonas_cli.store.records import candidate_of


def replay(run: RunDirectory, parts: Parts) -> Iterator[tuple[int, str | None]]:
    """Evaluates every recorded candidate again; yields its id and what differs, or None when every bit is the same.

    Candidates that ran out of time or memory, were trained in micro-batches for lack of it, or ended their workers, are
    skipped with all that continue them: the machine decided about them. So are copies, which `verify` compares with
    what they copy. A candidate that continues another waits for it; one that
    was refused before training is checked against the constraints once more. Files of the candidates go to a folder of
    their own, not into the run.
    """
    journal = Journal(run.journal, write=False)
    names = required(parts.objectives, parts.told, parts.reward)
    expected: dict[int, dict[str, Any]] = {}
    skipped: set[int | None] = set()
    for entry in sorted(journal, key=itemgetter("id")):  # what is continued before what continues it
        if machine_decided(entry) or entry.get("continues") in skipped:
            skipped.add(entry["id"])
        elif "cached" not in entry:
            expected[entry["id"]] = entry
    refused = {id: entry for id, entry in expected.items() if entry.get("error", {}).get("kind") == "refused"}
    gate = parts.gate(run.metadata()["environment"])
    for id, entry in refused.items():
        del expected[id]
        found = gate.refusal(candidate_of(entry, parts.space))
        yield id, "recorded as refused, now admitted" if found is None else _difference(entry, found, parts.measured)
    scratch = Path(tempfile.mkdtemp(prefix="evonas-replay-"))
    evaluator = parts.evaluator(RunDirectory(scratch))
    heirs: dict[int | None, list[int]] = {}
    for id, entry in expected.items():
        ancestor = entry.get("continues")
        heirs.setdefault(ancestor if ancestor in expected else None, []).append(id)
    try:
        evaluator.start()
        openings.record(run, parts, ("verify", "--replay"))
        asks = Asks(journal, evaluator, parts.space)
        evaluator.submit(asks.units([expected[id] for id in heirs.get(None, [])]))
        left = len(expected)
        while left:
            for result in evaluator.collect():
                left -= 1
                entry = expected[result.id]
                found = guard(result) if entry.get("job") else guard(result, names, parts.reward)
                yield result.id, _difference(entry, found, parts.measured)
                if result.id in heirs:
                    evaluator.submit(asks.units([expected[id] for id in heirs[result.id]]))
    finally:
        evaluator.close()
        shutil.rmtree(scratch)


def _difference(entry: dict[str, Any], result: Result, measured: Container[str]) -> str | None:
    if entry["status"] != result.status:
        return f"recorded {entry['status']}, now {result.status}"
    labels = entry.get("labels", {})
    for name in sorted({*entry["metrics"], *result.metrics}):
        before, now = entry["metrics"].get(name), result.metrics.get(name)
        if before != now and name not in measured:
            return f"{name}: recorded {before}, now {now}"
    if tuple(entry.get("descriptor", ())) != result.descriptor:
        return f"descriptor: recorded {entry.get('descriptor')}, now {list(result.descriptor)}"
    if "state" in labels and labels["state"] != result.labels.get("state"):
        return "the trained weights are others than recorded"
    return None
