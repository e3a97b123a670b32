"""Carrying a session to its end: the loop, the last files, the summary, the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from evonas_cli.cli.common import print_columns, print_json, readable, say, several, shorten
from evonas_cli.cli.narrate import Lines, Narrator, Silent
from evonas_cli.cli.stopping import GRACE, Stopped, Terminated, graceful, ignore_hangups
from evonas_cli.core.errors import EvonasError

if TYPE_CHECKING:
    from evonas_cli.core.halting import Ended
    from evonas_cli.report.failures import Tally
    from evonas_cli.report.patterns import Patterns
    from evonas_cli.report.retrained import Retrained
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


@dataclass(frozen=True)
class _Worked:
    """What is there to be said of a session that was worked off.

    `reason` is why it has ended; it began with `before` evaluations and ended with `evaluations`. `failures` are
    counted where no candidate succeeded. `again` is there for a retraining, `named` for a space of named patterns.
    """

    session: Session
    reason: str
    before: int
    evaluations: int
    failures: Tally
    front: Mapping[str, Any]
    again: Sequence[Retrained] | None
    named: Patterns | None


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
    ignore_hangups()
    try:
        with voice.telling(open_session) as session:
            worked = _worked(session, run, voice, grace)
    except (KeyboardInterrupt, Terminated) as stop:
        raise Stopped(stop, run.root if run.exists() else None) from stop
    except EvonasError:
        raise
    except Exception as error:
        if run.exists():
            error.add_note(f"what was recorded is safe, `evonas resume {run.root}` goes on")
        raise
    _tell_end(worked, voice)
    found = bool(worked.front["front"])
    after = more(worked.front) if more is not None and found else {}
    if as_json:
        print_json(_document(worked, after))
    else:
        _print(worked)
    return 0 if found else 1


def _worked(session: Session, run: RunDirectory, voice: Narrator, grace: float) -> _Worked:
    """Works the session off, and reads what it found while its run is still open."""
    from evonas_cli.report.failures import tally
    from evonas_cli.report.patterns import patterns_of
    from evonas_cli.report.retrained import retrained
    from evonas_cli.store.derived import front_document

    if session.parts.reward is not None:
        voice.say(f"reward = {session.parts.reward}")
    recorder, fold = session.recorder, session.fold
    before = len(recorder.journal)
    reason = conducted(session, voice, grace)
    first = session.parts.objectives[0]
    return _Worked(
        session,
        reason,
        before,
        evaluations=len(recorder.journal),
        failures=tally(() if fold.position.succeeded else recorder.journal),
        front=front_document(fold.objectives, [id for id, _ in fold.front.members], recorder.journal.read),
        again=retrained(session.run, session.parts, recorder.journal),
        named=patterns_of(run.root.name, session.parts.space, recorder.journal, first.name, first.direction),
    )


def _tell_end(worked: _Worked, voice: Narrator) -> None:
    """Says what became of trainings under way, that nothing was left to do, or why there is no front."""
    ended = worked.session.ended
    if ended is not None and (ended.at_epoch or ended.within):
        voice.say(_told(ended))
    elif worked.before == worked.evaluations:
        voice.say(f"nothing was left to do: the run has its {worked.evaluations} evaluations ({worked.reason})")
    if not worked.front["front"]:
        voice.say(_without_front(worked.session, worked.evaluations, worked.reason, worked.failures))


def _document(worked: _Worked, after: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON document, with `after` as its last members."""
    from evonas_cli.cli.retrain import document
    from evonas_cli.run import openings

    run = worked.session.run
    further = {} if worked.again is None else document(worked.again, openings.count(run))
    further |= {} if worked.named is None else {"patterns": asdict(worked.named)}
    own = {"run": str(run.root), "evaluations": worked.evaluations, "reason": worked.reason}
    return {**own, **worked.front, **further, **after}


def _print(worked: _Worked) -> None:
    """The front, or the table of a retraining or of patterns; last the run's path."""
    from evonas_cli.cli.retrain import print_retrained
    from evonas_cli.report.patterns import table
    from evonas_cli.run import openings

    run = worked.session.run
    if worked.again is not None:
        print_retrained(worked.again, openings.count(run), openings.owner(run).root / openings.FILE)
    elif worked.named is not None:
        print_columns(table(worked.named))
    else:
        print_front(worked.front)
    say(run.root)


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
