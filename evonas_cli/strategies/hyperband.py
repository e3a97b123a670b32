"""Hyperband (Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, JMLR 18, 2018; algorithm 1).

    for s from s_max down to 0: a bracket of successive halving that begins with ceil((s_max + 1) / (s + 1) reduction^s)
    candidates at the fidelity reduction^-s; each rung keeps floor(1 / reduction) of it and trains these `reduction`
    times as far, the last one in full

The first bracket stops candidates early and boldly, the last one trains all of its candidates in full. s_max is the
largest number for which reduction^-s_max is at least `least_fidelity`; `levels` states other fidelities as epochs.

Beside the paper: brackets follow each other until the budget ends. Genomes come from a `proposer`, which is told each
candidate's result at the highest fidelity that the candidate reached, once a whole step of its own has come to an end
(`evolution/supply.py`). Several objectives rank by non-dominated sorting with crowding. A step is one candidate: where
steps are asked ahead of what was told (the run's window), a rung that waits for its last results lets the next bracket
begin, so that no worker stands idle; who is promoted is decided when all of a rung are told. A failed candidate is
never promoted. A proposer that ends, ends the search: with window=1 after the last bracket, else with those in flight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from random import Random
from typing import Any, Generic

from evonas_cli.core.checks import switch, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import INNER, Computing, Particular, Space, Strategy
from evonas_cli.core.types import Evaluation, G, Json, Objective, Proposal
from evonas_cli.evolution.promotion import ROUNDING, Rung, Survivor, powers, promotion, succeeded
from evonas_cli.evolution.supply import Outcome, Supply, check_proposer, demanded, draw, outcome, settle


@dataclass(frozen=True, slots=True)
class Entry(Generic[G]):
    """A candidate of a bracket with what its last training came to; `serial` is its number in the supply."""

    serial: int
    outcome: Outcome[G]

    @property
    def losses(self) -> tuple[float, ...] | None:
        """None for a failure."""
        return self.outcome.losses


@dataclass(frozen=True, slots=True)
class Bracket(Generic[G]):
    """A bracket under way; `number` counts all of them, and gives the shape.

    Of the rung: `open` seats of the first are not yet drawn; `waiting` are promoted and not yet asked; `out` are asked
    and not told; `told` are those told.
    """

    number: int
    rung: int = 0
    open: int = 0
    waiting: tuple[Entry[G], ...] = ()
    out: int = 0
    told: tuple[Entry[G], ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A candidate in flight: the bracket's number and the serial of the genome."""

    bracket: int
    serial: int


@dataclass(frozen=True, slots=True)
class Course(Generic[G]):
    """Brackets under way, oldest first, and candidates in flight in the order of asking.

    `alive` are the survivors of the rung decided last, which is number `rung` of a bracket `shape` (s in the paper).
    """

    supply: Supply[G]
    brackets: tuple[Bracket[G], ...] = ()
    flight: tuple[Asked, ...] = ()
    begun: int = 0
    alive: tuple[int, ...] = ()
    shape: int | None = None
    rung: int | None = None


@dataclass(frozen=True, kw_only=True)
class Hyperband(Generic[G]):
    """Hyperband: brackets of successive halving that stop candidates early, later, and not at all (Li et al., 2018).

    `proposer` is the strategy that proposes genomes.
    """

    space: Space[G]
    proposer: Strategy[G, Any]
    reduction: int = 3
    least_fidelity: float = 0.1
    levels: Sequence[float] | None = None
    continues: bool = False

    def __post_init__(self) -> None:
        whole("reduction", self.reduction, least=2)
        within("least_fidelity", self.least_fidelity, interval="[0.000001, 1]")
        switch("continues", self.continues)
        check_proposer(self.proposer)
        _ = self._shapes

    @cached_property
    def _fidelities(self) -> tuple[float, ...]:
        """In ascending order, the last one 1. Raises UsageError."""
        if self.levels is None:
            return tuple([1 / cut for cut in reversed(powers(self.reduction, self.least_fidelity))])
        levels = list(self.levels)
        if (
            not levels
            or levels[0] <= 0
            or any(later <= level for level, later in zip(levels, levels[1:], strict=False))
        ):
            raise UsageError(f"strategy.levels must be ascending epochs above 0, such as [12,200]; it is {levels}")
        return tuple([level / levels[-1] for level in levels])

    @cached_property
    def _shapes(self) -> tuple[tuple[Rung, ...], ...]:
        """The rungs of the brackets in their order, s from s_max down to 0."""
        top = len(self._fidelities) - 1
        found = []
        for s in range(top, -1, -1):
            first = ceil((top + 1) / (s + 1) * self.reduction**s - ROUNDING)
            fidelities = self._fidelities[top - s :]
            found.append(tuple([Rung(first // self.reduction**i, f) for i, f in enumerate(fidelities)]))
        return tuple(found)

    @property
    def demands(self) -> Demands:
        """The proposer's, and of the job the fidelities of the rungs."""
        own = Demands(fidelities=self._fidelities, continues=self.continues, objectives="all")
        return demanded(self.proposer, own)

    @property
    def least_evaluations(self) -> int:
        """The first bracket."""
        return sum(rung.seats for rung in self._shapes[0])

    def check_objectives(self, objectives: Sequence[Objective]) -> None:
        """The proposer's."""
        if isinstance(self.proposer, Particular):
            self.proposer.check_objectives(objectives)

    def environment(self) -> dict[str, Json]:
        """The proposer's."""
        return self.proposer.environment() if isinstance(self.proposer, Computing) else {}

    def init(self, rng: Random) -> tuple[Course[G], INNER]:
        """No bracket yet."""
        inner: Any = self.proposer.init(rng)
        return Course(Supply()), inner

    def ask(self, state: tuple[Course[G], INNER], rng: Random) -> tuple[list[Proposal[G]], tuple[Course[G], INNER]]:
        """The next candidate of the oldest bracket that has one, or the first one of another bracket."""
        course, inner = state
        found = next((bracket for bracket in course.brackets if bracket.waiting), None)
        if found is not None:
            course, proposal = self._promoted(course, found)
            return [proposal], (course, inner)
        drawn, inner, supply = draw(self.proposer, inner, course.supply, rng)
        course = replace(course, supply=supply)
        if drawn is None:
            course, inner = self._closed(course, inner, rng)
            waits = any(bracket.waiting for bracket in course.brackets)
            return self.ask((course, inner), rng) if waits else ([], (course, inner))
        course, bracket = self._filling(course)
        course = _changed(course, replace(bracket, open=bracket.open - 1, out=bracket.out + 1))
        course = replace(course, flight=(*course.flight, Asked(bracket.number, drawn.serial)))
        return [drawn.proposal(self._rungs(bracket)[0].fidelity)], (course, inner)

    def tell(
        self, state: tuple[Course[G], INNER], told: Sequence[Evaluation[G]], rng: Random
    ) -> tuple[Course[G], INNER]:
        """When all of a rung are told, the best of it, as many as the next one has seats, wait for that."""
        course, inner = state
        for evaluation in told:
            asked, *flight = course.flight
            course = replace(course, flight=tuple(flight))
            bracket = next(bracket for bracket in course.brackets if bracket.number == asked.bracket)
            entries = (*bracket.told, Entry(asked.serial, outcome(evaluation)))
            course = _changed(course, replace(bracket, out=bracket.out - 1, told=entries))
            course, inner = self._settled(course, inner, asked.bracket, rng)
        return course, inner

    def population(self, state: tuple[Course[G], INNER]) -> tuple[int, ...]:
        """Whom the rung decided last lets go on, best first; of a last rung all that did not fail."""
        return state[0].alive

    def keeps(self, state: tuple[Course[G], INNER]) -> tuple[int, ...]:
        """All that may still be promoted."""
        return tuple([e.outcome.id for bracket in state[0].brackets for e in (*bracket.waiting, *bracket.told)])

    def figures(self, state: tuple[Course[G], INNER]) -> Mapping[str, Json]:
        """Brackets begun; of the rung decided last its bracket's s, its number, its fidelity and how many are left."""
        course = state[0]
        fidelity = None
        if course.shape is not None and course.rung is not None:
            fidelity = self._shapes[len(self._shapes) - 1 - course.shape][course.rung].fidelity
        return {
            "brackets": course.begun,
            "shape": course.shape,
            "rung": course.rung,
            "fidelity": fidelity,
            "alive": len(course.alive),
        }

    def _rungs(self, bracket: Bracket[G]) -> tuple[Rung, ...]:
        return self._shapes[bracket.number % len(self._shapes)]

    def _promoted(self, course: Course[G], bracket: Bracket[G]) -> tuple[Course[G], Proposal[G]]:
        """The first that waits in a bracket, trained further."""
        entry, *waiting = bracket.waiting
        course = _changed(course, replace(bracket, waiting=tuple(waiting), out=bracket.out + 1))
        survivor = Survivor(entry.outcome.id, entry.outcome.genome)
        proposal = promotion(survivor, self._rungs(bracket)[bracket.rung].fidelity, self.continues)
        return replace(course, flight=(*course.flight, Asked(bracket.number, entry.serial))), proposal

    def _filling(self, course: Course[G]) -> tuple[Course[G], Bracket[G]]:
        """The bracket that has open seats, or another one."""
        if course.brackets and course.brackets[-1].open:
            return course, course.brackets[-1]
        new: Bracket[G] = Bracket(course.begun)
        new = replace(new, open=self._rungs(new)[0].seats)
        return replace(course, brackets=(*course.brackets, new), begun=course.begun + 1), new

    def _closed(self, course: Course[G], inner: Any, rng: Random) -> tuple[Course[G], Any]:
        """After the proposer's end: the seats that are still open stay empty."""
        for bracket in course.brackets:
            if bracket.open:
                course = _changed(course, replace(bracket, open=0))
                course, inner = self._settled(course, inner, bracket.number, rng)
        return course, inner

    def _settled(self, course: Course[G], inner: Any, number: int, rng: Random) -> tuple[Course[G], Any]:
        """Decides the rung of a bracket if nothing of it is missing."""
        bracket = next(bracket for bracket in course.brackets if bracket.number == number)
        if bracket.open or bracket.waiting or bracket.out:
            return course, inner
        course, left = self._decided(course, bracket)
        ended = {entry.serial: entry.outcome for entry in left}
        inner, supply = settle(self.proposer, inner, course.supply, ended, rng)
        return replace(course, supply=supply), inner

    def _decided(self, course: Course[G], bracket: Bracket[G]) -> tuple[Course[G], Sequence[Entry[G]]]:
        """After the last result of a rung: who goes on, and who has come to an end."""
        rungs, ranked = self._rungs(bracket), succeeded(bracket.told)
        last = bracket.rung + 1 == len(rungs)
        chosen = ranked if last else ranked[: rungs[bracket.rung + 1].seats]
        course = replace(
            course,
            alive=tuple([entry.outcome.id for entry in chosen]),
            shape=len(rungs) - 1,
            rung=bracket.rung,
        )
        if last or not chosen:
            brackets = tuple([other for other in course.brackets if other.number != bracket.number])
            return replace(course, brackets=brackets), bracket.told
        course = _changed(course, replace(bracket, rung=bracket.rung + 1, waiting=tuple(chosen), told=()))
        serials = {entry.serial for entry in chosen}
        return course, [entry for entry in bracket.told if entry.serial not in serials]


def _changed(course: Course[G], bracket: Bracket[G]) -> Course[G]:
    """With the bracket in the place of the one of its number."""
    same = [bracket if other.number == bracket.number else other for other in course.brackets]
    return replace(course, brackets=tuple(same))
