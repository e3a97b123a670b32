"""Successive halving (Karnin, Koren and Somekh, ICML 2013; Jamieson and Talwalkar, AISTATS 2016).

    a bracket: sample `candidates` genomes and train each to the lowest fidelity; keep the best 1 / `reduction` of them
    and train these `reduction` times as far; and so on, until the last rung trains to fidelity 1

Rungs have candidates // reduction^i seats and fidelity reduction^(i + 1 - k); k, their number, is the largest for which
the first fidelity is at least `least_fidelity`. `rungs` states seats and epochs instead. Above the first rung a
candidate is trained again from its start, for more epochs; with `continues` the training continues from the candidate's
weights.

Beside the papers: brackets follow each other until the budget ends. Several objectives rank by non-dominated sorting
with crowding, a single one by its loss; ties go to the older candidate. A failed candidate is never promoted: the seats
that no candidate fills stay empty, and where all fail the bracket is over. A step asked before the ones before it are
told (the run's window) begins another bracket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Generic

from evonas_cli.core.checks import require, switch, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution.promotion import Rung, Survivor, powers, promotion, stated, succeeded


@dataclass(frozen=True, slots=True)
class Promotion(Generic[G]):
    """The survivors, best first, and the index of the rung that they wait for."""

    rung: int
    survivors: tuple[Survivor[G], ...]


@dataclass(frozen=True, slots=True)
class Brackets(Generic[G]):
    """All brackets under way: rungs (indices) asked and not yet told, and those ready to be asked, oldest first.

    `alive` are the survivors of the rung told last, whose index is `told` (None before the first).
    """

    pending: tuple[int, ...] = ()
    ready: tuple[Promotion[G], ...] = ()
    alive: tuple[int, ...] = ()
    told: int | None = None
    begun: int = 0


@dataclass(frozen=True, kw_only=True)
class SuccessiveHalving(Generic[G]):
    """Successive halving: many candidates trained briefly, the best of them further, the last ones in full.

    `rungs` are pairs [seats, epochs], epochs in any unit of which the last rung's are the full training; where it is
    given, `candidates`, `reduction` and `least_fidelity` have no say.
    """

    space: Space[G]
    candidates: int = 16
    reduction: int = 2
    least_fidelity: float = 0.125
    rungs: Sequence[Sequence[float]] | None = None
    continues: bool = False

    def __post_init__(self) -> None:
        whole("candidates", self.candidates, least=1)
        whole("reduction", self.reduction, least=2)
        within("least_fidelity", self.least_fidelity, interval="[0.000001, 1]")
        switch("continues", self.continues)
        seats = self._ladder[-1].seats
        rule = f"leaves no candidate for the last of {len(self._ladder)} rungs; raise it or strategy.least_fidelity"
        require(seats > 0, "candidates", self.candidates, rule)

    @cached_property
    def _ladder(self) -> tuple[Rung, ...]:
        """The rungs of a bracket, the lowest first. Raises UsageError for `rungs` that are none."""
        if self.rungs is not None:
            return stated(self.rungs)
        cuts = powers(self.reduction, self.least_fidelity)
        return tuple([Rung(self.candidates // cut, cut / cuts[-1]) for cut in cuts])

    @property
    def demands(self) -> Demands:
        """Nothing of the space; of the job the fidelities of the rungs."""
        fidelities = tuple([rung.fidelity for rung in self._ladder])
        window = 1 if self.continues else None
        return Demands(fidelities=fidelities, continues=self.continues, window=window, objectives="all")

    @property
    def least_evaluations(self) -> int:
        """A bracket: a smaller budget trains no candidate in full."""
        return sum(rung.seats for rung in self._ladder)

    def init(self, rng: Random) -> Brackets[G]:
        """No bracket yet."""
        return Brackets()

    def ask(self, state: Brackets[G], rng: Random) -> tuple[list[Proposal[G]], Brackets[G]]:
        """The next rung of the oldest bracket that waits, or the first one of another bracket."""
        if not state.ready:
            seats, fidelity = self._ladder[0]
            samples = [Proposal(self.space.sample(rng), fidelity=fidelity, operator="sample") for _ in range(seats)]
            return samples, replace(state, pending=(*state.pending, 0), begun=state.begun + 1)
        (rung, survivors), ready = (state.ready[0].rung, state.ready[0].survivors), state.ready[1:]
        fidelity = self._ladder[rung].fidelity
        promoted = [promotion(survivor, fidelity, self.continues) for survivor in survivors]
        return promoted, replace(state, pending=(*state.pending, rung), ready=ready)

    def tell(self, state: Brackets[G], told: Sequence[Evaluation[G]], rng: Random) -> Brackets[G]:
        """The best of the rung, as many as the next one has seats, wait for it; after the last one the bracket ends."""
        rung, *pending = state.pending
        ranked = succeeded(told)
        state = replace(state, pending=tuple(pending), told=rung)
        if rung + 1 == len(self._ladder):
            return replace(state, alive=tuple([evaluation.id for evaluation in ranked]))
        survivors = [Survivor(e.id, e.genome) for e in ranked[: self._ladder[rung + 1].seats]]
        waiting = (Promotion(rung + 1, tuple(survivors)),) if survivors else ()
        alive = tuple([survivor.id for survivor in survivors])
        return replace(state, ready=(*state.ready, *waiting), alive=alive)

    def population(self, state: Brackets[G]) -> tuple[int, ...]:
        """Whom the rung told last lets go on, best first; of a last rung all that did not fail."""
        return state.alive

    def keeps(self, state: Brackets[G]) -> tuple[int, ...]:
        """The survivors that wait for their next rung."""
        return tuple([survivor.id for promotion in state.ready for survivor in promotion.survivors])

    def figures(self, state: Brackets[G]) -> Mapping[str, Json]:
        """Brackets begun; of the rung told last its number, its fidelity and how many of it are left."""
        fidelity = None if state.told is None else self._ladder[state.told].fidelity
        return {"brackets": state.begun, "rung": state.told, "fidelity": fidelity, "alive": len(state.alive)}
