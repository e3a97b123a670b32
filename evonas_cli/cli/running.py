"""Carrying a session to its end: the loop, the last files, the summary, the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from evonas_cli.cli.common import print_columns, print_json, readable, say, several, shorten
from evonas_cli.cli.narrate import Lines, Narrator, Silent
from evonas_cli.cli.stopping import GRACE, Stopped, Terminated, graceful, ignore_hangups
from evonas_cli.core.errors import EvonasError

if TYPE_CHECKING:
    from evonas_cli.core.halting import Ended
    from evonas_cli.report.failures import Tally
    from evonas_cli.run.assembly import Parts
    from evonas_cli.run.session import Session
    from evonas_cli.store.directory import RunDirectory


def narrator(parts: Parts, quiet: bool) -> Narrator:
    """The narrator that fits where stderr goes."""
    if quiet or sys.stderr is None:
        return Silent()
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb").lower() not in ("dumb", "unknown"):
        from evonas_cli.cli.board import Board, fits

        if fits():
            return Board(parts)
    return Lines(parts)


More: TypeAlias = "Callable[[Mapping[str, Any]], Mapping[str, Any]]"
"""What follows from the document of a run's front, as further members of the JSON document."""


def carry_out(
    open_session: Callable[[], Session],
    run: RunDirectory,
    voice: Narrator,
    as_json: bool,
    more: More | None = None,
    grace: float = GRACE,
) -> int:
    """Opens a session of the run, works it off, prints its front and its path. Returns 1 when there is no front.

    `more` is called once where there is one. After the first signal candidates under way have `grace` seconds.
    """
    from evonas_cli.cli.retrain import document as retrained_document
    from evonas_cli.cli.retrain import print_retrained
    from evonas_cli.report.failures import tally
    from evonas_cli.report.patterns import patterns_of, table
    from evonas_cli.report.retrained import retrained
    from evonas_cli.run import openings
    from evonas_cli.store.derived import front_document

    ignore_hangups()
    try:
        with voice.telling(open_session) as session:
            if session.parts.reward is not None:
                voice.say(f"reward = {session.parts.reward}")
            recorder, fold = session.recorder, session.fold
            before = len(recorder.journal)
            reason = conducted(session, voice, grace)
            evaluations = len(recorder.journal)
            failures = tally(() if fold.position.succeeded else recorder.journal)
            document = front_document(fold.objectives, [id for id, _ in fold.front.members], recorder.journal.read)
            again = retrained(session.run, session.parts, recorder.journal)
            first = session.parts.objectives[0]
            named = patterns_of(run.root.name, session.parts.space, recorder.journal, first.name, first.direction)
    except (KeyboardInterrupt, Terminated) as stop:
        raise Stopped(stop, run.root if run.exists() else None) from stop
    except EvonasError:
        raise
    except Exception as error:
        if run.exists():
            error.add_note(f"what was recorded is safe, `evonas resume {run.root}` goes on")
        raise
    ended = session.ended
    if ended is not None and (ended.at_epoch or ended.within):
        voice.say(_told(ended))
    elif before == evaluations:
        voice.say(f"nothing was left to do: the run has its {evaluations} evaluations ({reason})")
    if not document["front"]:
        voice.say(_without_front(session, evaluations, reason, failures))
    opened = 0 if again is None else openings.count(session.run)
    after = more(document) if more is not None and document["front"] else {}
    if as_json:
        further = {} if again is None else retrained_document(again, opened)
        further |= {} if named is None else {"patterns": asdict(named)}
        print_json(
            {"run": str(session.run.root), "evaluations": evaluations, "reason": reason, **document, **further, **after}
        )
    elif again is not None:
        print_retrained(again, opened, openings.owner(session.run).root / openings.FILE)
        say(session.run.root)
    elif named is not None:
        print_columns(table(named))
        say(session.run.root)
    else:
        print_front(document)
        say(session.run.root)
    return 0 if document["front"] else 1


def conducted(session: Session, voice: Narrator, grace: float) -> str:
    """Works a session off, and says why it has ended; asked to stop, it waits so many seconds for epochs to end.

    What then passes through has a note on the trainings that were stopped.
    """
    from evonas_cli.run.conduct import conduct

    in_flight = session.evaluator.in_flight

    def tell(signal: str) -> None:
        count = several(sum(map(len, in_flight.units())), "candidate")
        voice.awaiting(f"{signal}: at most {grace:g} s for {count} to reach an epoch's end; once more stops now")

    with graceful(grace, session.request, lambda: bool(in_flight.units()), tell):
        try:
            return conduct(session)
        except (KeyboardInterrupt, Terminated) as stop:
            if words := _counted(session.request.ended):
                stop.add_note(words)
            raise


def _counted(ended: Ended) -> str:
    """`3 trainings stopped at an epoch's end, 1 within an epoch`, or nothing."""
    places = {"at an epoch's end": len(ended.at_epoch), "within an epoch": len(ended.within)}
    counts = [(count, place) for place, count in places.items() if count]
    words = [f"{several(count, 'training')} stopped {place}" for count, place in counts[:1]]
    return ", ".join([*words, *[f"{count} {place}" for count, place in counts[1:]]])


def _told(ended: Ended) -> str:
    """`time budget reached: 3 trainings stopped at an epoch's end, not recorded; a longer budget goes on with them`."""
    them = "it" if len(ended.at_epoch) + len(ended.within) == 1 else "them"
    return f"time budget reached: {_counted(ended)}, not recorded; a longer budget goes on with {them}"


def _without_front(session: Session, evaluations: int, reason: str, failures: Tally) -> str:
    """Why a run has no front, and what to do about it."""
    fold = session.fold
    if fold.position.succeeded and fold.front.over is None:
        limits = ", ".join(map(str, fold.constraints))
        return f"no candidate that succeeded satisfies the constraints ({limits}); loosen them or raise the budget"
    if fold.position.succeeded:
        return f"budget.cost={fold.budget.cost:g} is less than what the first candidate costs; raise it"
    if not evaluations and session.ended is not None:
        return (
            f"{reason} and no training has ended, so there is no result; set a larger budget.seconds (`evonas resume "
            f"{session.run.root} budget.seconds=...` goes on), or begin anew with fewer trainer.epochs"
        )
    return f"{reason}; loosen that one" if fold.barred else _fruitless(evaluations, failures)


def _fruitless(evaluations: int, failures: Tally) -> str:
    """That nothing succeeded, and why most candidates failed."""
    reason = next(iter(failures.commonest(1)), None)
    why = "" if reason is None else f"; most often ({reason.count}): {reason}"
    return f"none of the {evaluations} candidates succeeded{why}"


def print_front(document: Mapping[str, Any]) -> None:
    """The front in aligned columns."""
    names = document["objectives"]
    rows = [["id", *names, "genome"]]
    for member in document["front"]:
        metrics = [readable(member["metrics"][name]) for name in names]
        rows.append([str(member["id"]), *metrics, shorten(member["genome"])])
    print_columns(rows)
