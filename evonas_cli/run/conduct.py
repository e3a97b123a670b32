"""A session from its first candidate to its last files."""

from __future__ import annotations

from evonas_cli.core.errors import RunError
from evonas_cli.run.refold import hidden_randomness, wavers
from evonas_cli.run.search import search
from evonas_cli.run.session import Session


def conduct(session: Session) -> str:
    """Runs the session to its end, writes the last files, and says why the search has ended.

    Whatever stops the search, an exception of the caller's such as KeyboardInterrupt included, leaves the run as
    interrupted, and it can be resumed. Raises RunError, which names hidden randomness where that is the reason.
    """
    recorder, fold = session.recorder, session.fold
    try:
        session.ended = search(
            fold,
            session.evaluator,
            recorder,
            session.deadline,
            session.cache,
            session.gate,
            session.parts.reward,
            session.request,
        )
    except RunError as error:
        recorder.finish(fold, "interrupted")
        if wavers(session.parts, recorder.journal):
            raise RunError(hidden_randomness(session.parts)) from error
        raise
    except BaseException:
        recorder.finish(fold, "interrupted")
        raise
    reason = session.why()
    state = "done" if fold.position.succeeded else "failed"
    recorder.finish(fold, state, reason)
    session.tracking.end(state)
    return reason
