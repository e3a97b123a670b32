"""Candidates whose trained weights are lost although later ones continue them: they are trained again, unrecorded."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.evaluating import Evaluator
from evonas_cli.core.halting import Deadline, Ended
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import LOST, Candidate, Heir, Json, Result, Unit
from evonas_cli.store import records
from evonas_cli.store.journal import Journal

_log = logging.getLogger(__name__)


@dataclass
class _Sent:
    """A unit on its way: the ids whose results are outstanding, and those that found no weights, with the reason."""

    unit: Unit[Any]
    left: set[int]
    lost: dict[int, str] = field(default_factory=dict)


@dataclass
class _Waiting:
    """A unit whose candidates continue `sources`, which are being trained again."""

    unit: Unit[Any]
    sources: set[int]


class Retraining:
    """An evaluator for strategies that hand trained weights on, around the one that evaluates.

    Candidates that continue others go to the job with what the journal has recorded of those. One that comes back as
    LOST waits until the candidate that it continues has been trained again at its recorded place, and goes once more.
    What is trained again appears in no result.
    """

    def __init__(self, evaluator: Evaluator[Any], journal: Journal, space: Space[Any]) -> None:
        self._evaluator, self._journal, self._space = evaluator, journal, space
        self._sent: dict[int, _Sent] = {}
        self._waiting: list[_Waiting] = []
        self._again: set[int] = set()
        self._tried: set[int] = set()
        self._others: dict[int, str] = {}
        self._failure: EnvironmentFailure | None = None

    @property
    def slots(self) -> int:
        """How many candidates are evaluated at once."""
        return self._evaluator.slots

    def start(self) -> dict[str, Json]:
        """Passes on."""
        return self._evaluator.start()

    def units(self, asked: Sequence[Candidate[Any]]) -> list[Unit[Any]]:
        """Passes on."""
        return self._evaluator.units(asked)

    def submit(self, units: Sequence[Unit[Any]]) -> None:
        """Passes on, with what is recorded of the candidates that are continued."""
        known = [replace(unit, candidates=tuple([self._informed(c) for c in unit.candidates])) for unit in units]
        for unit in known:
            sent = _Sent(unit, {candidate.id for candidate in unit.candidates})
            self._sent |= dict.fromkeys(sent.left, sent)
        self._evaluator.submit(known)

    def collect(self, deadline: Deadline | None = None) -> list[Result]:
        """Waits for at least one result. Raises EnvironmentFailure when weights cannot be had again."""
        results: list[Result] = []
        while not results:
            if self._failure is not None:
                raise self._failure
            arrived = self._evaluator.collect(deadline)
            if not arrived:  # the time is over, or a request to stop has come meanwhile
                break
            for result in arrived:
                results += self._sorted(result)
        return results

    def stop(self) -> Ended:
        """Passes on, without the results of those that were trained again or found no weights."""
        ended = self._evaluator.stop()
        own = [result for result in ended.results if result.id not in self._again and _lost(result) is None]
        return replace(ended, results=own)

    def close(self) -> None:
        """Passes on."""
        self._evaluator.close()

    def _informed(self, candidate: Candidate[Any]) -> Candidate[Any]:
        source = candidate.proposal.continues
        if source is None or source not in self._journal:
            return candidate
        origin = records.origin_of(self._journal.read(source))
        origin = replace(origin, state=self._others.get(source, origin.state))
        return Heir(candidate.id, candidate.step, candidate.seed, candidate.proposal, origin)

    def _sorted(self, result: Result) -> list[Result]:
        """The result if it is one of the search's; what was lost or trained again has its consequences."""
        sent = self._sent.pop(result.id)
        sent.left.discard(result.id)
        found: list[Result] = []
        reason = _lost(result)
        if reason is not None:
            sent.lost[result.id] = reason
        else:
            self._tried.discard(result.id)
            if result.id in self._again:
                self._regained(result)
            else:
                found = [result]
        if sent.lost and not sent.left:
            self._train_again(sent)
        return found

    def _train_again(self, sent: _Sent) -> None:
        """Trains those again whose weights the lost candidates of a unit need, unless that is under way."""
        unit = sent.unit.among(sent.lost)
        vain = sorted(self._tried & sent.lost.keys())
        if vain:
            self._fail(f"candidate {vain[0]} cannot continue, although the weights were made again: "
                       f"{sent.lost[vain[0]]}; see what removes or changes the file, then resume the run")  # fmt: skip
            return
        self._tried |= sent.lost.keys()
        reasons = {c.proposal.continues: sent.lost[c.id] for c in unit.candidates if c.proposal.continues is not None}
        self._waiting.append(_Waiting(unit, set(reasons)))
        new = sorted(reasons.keys() - self._again)
        for id in new:
            _log.warning("training candidate %d again: its weights are lost (%s)", id, reasons[id])
        self._again |= set(new)
        self.submit(Asks(self._journal, self._evaluator, self._space).units([self._journal.read(id) for id in new]))

    def _regained(self, result: Result) -> None:
        """Lets those go on who have waited for the candidate's weights."""
        id = result.id
        if result.error is not None:
            self._fail(f"candidate {id}, whose weights are lost, could not be trained again ({result.error.kind}: "
                       f"{result.error.text}); nothing was recorded and the run can be resumed")  # fmt: skip
            return
        self._again.discard(id)
        recorded, found = records.origin_of(self._journal.read(id)).state, result.labels.get("state")
        if recorded is not None and found is not None and found != recorded:
            self._others[id] = found
            _log.warning(
                "candidate %d, trained again, has other weights than the run recorded, and so what continues it may "
                "differ from an uninterrupted run; to keep the run exact stop it, and resume it on the machine and "
                "with the versions that it began with, or with a copy of the lost state.pt",
                id,
            )
        for waiting in self._waiting:
            waiting.sources.discard(id)
        ready = [waiting.unit for waiting in self._waiting if not waiting.sources]
        self._waiting = [waiting for waiting in self._waiting if waiting.sources]
        self.submit(ready)

    def _fail(self, text: str) -> None:
        """Results that have arrived beside it are handed out first."""
        self._failure = self._failure or EnvironmentFailure(text)


def _lost(result: Result) -> str | None:
    """Why the candidate found no weights to continue; None for any other result."""
    return result.error.text if result.error is not None and result.error.kind == LOST else None


class Asks:
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
