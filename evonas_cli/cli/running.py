"""Carrying a session to its end: the loop, the last files, the summary, the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evonas_cli.cli.common import print_json, readable

if TYPE_CHECKING:
    from evonas_cli.cli.narrate import Narrator
    from evonas_cli.session import Session


def carry_out(open_session: Callable[[], Session], voice: Narrator, as_json: bool) -> int:
    """Opens the session, runs it, prints its front and its path. Returns 1 when no candidate succeeded."""
    from evonas_cli.search import search
    from evonas_cli.store.derived import front_document

    with voice.telling(open_session) as session:
        recorder, fold = session.recorder, session.fold
        before = len(recorder.journal)
        try:
            search(fold, session.evaluator, recorder, session.late)
        except BaseException:
            recorder.finish(fold, "interrupted")
            raise
        reason = session.why()
        recorder.finish(fold, "done" if fold.front.members else "failed", reason)
        evaluations = len(recorder.journal)
        document = front_document(fold.objectives, [id for id, _ in fold.front.members], recorder.journal.read)
    if before == evaluations:
        voice.say(f"nothing was left to do: the run has its {evaluations} evaluations ({reason})")
    if not document["front"]:
        voice.say(f"none of the {evaluations} candidates succeeded; `evonas show {session.run.root}` says why")
    if as_json:
        print_json({"run": str(session.run.root), "evaluations": evaluations, "reason": reason, **document})
    else:
        print_front(document)
        print(session.run.root)
    return 0 if document["front"] else 1


def print_front(document: Mapping[str, Any]) -> None:
    """The front in aligned columns."""
    names = document["objectives"]
    rows = [["id", *names, "genome"]]
    for member in document["front"]:
        metrics = [readable(member["metrics"][name]) for name in names]
        rows.append([str(member["id"]), *metrics, shorten(member["genome"])])
    print_columns(rows)


def print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Rows in aligned columns: numbers to the right, the last column as it is."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)]
    for row in rows:
        print("  ".join([*(cell.rjust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]))


def shorten(genome: Any, limit: int = 100) -> str:
    """A genome on one line."""
    text = genome if isinstance(genome, str) else json.dumps(genome, ensure_ascii=False)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
