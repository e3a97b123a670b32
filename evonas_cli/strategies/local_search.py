"""Local search: hill climbing with restarts, the second baseline (White, Nolen and Savani, UAI 2021).

    start from a sample; evaluate the neighbours of the current genome (all genomes with one gene changed), in random
    order; move to the best of them if it is better (`steepest`), or to the first that is better (`first`);
    at a local optimum start again from another sample

What is known of a neighbourhood counts at once and is not evaluated again. Beside the paper: a step may be asked
before the steps before it are told (the run's window). Where all neighbours are asked and some not yet told, a sample
is drawn ahead; the best of those is where the next climb starts. Fitness is the first objective, losses[0].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf
from random import Random
from typing import Generic, Literal

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.persistent import PersistentDict
from evonas_cli.core.types import Evaluation, G, Proposal
from evonas_cli.genomes.capabilities import Linear
from evonas_cli.genomes.choices import Genes, check_listed

DRAWS = 100
"""Samples drawn to find one that is not known yet; after that a known one is evaluated again."""


@dataclass(frozen=True, slots=True)
class Known(Generic[G]):
    """An evaluated genome; `loss` is None for a failed candidate."""

    id: int
    genome: G
    loss: float | None

    @property
    def height(self) -> float:
        """The loss, infinite for a failure."""
        return inf if self.loss is None else self.loss


@dataclass(frozen=True, slots=True)
class Climb(Generic[G]):
    """Where the climb stands.

    `centre` is the current genome (None: waiting for a sample); `ahead` its neighbours not yet asked; `expected` the
    genomes asked and not yet told, in order; `found` the best neighbour so far if it is better than the centre;
    `reserve` the best sample drawn ahead; `known` everything told; `climbs` how many climbs have begun.
    """

    centre: Known[G] | None = None
    ahead: tuple[G, ...] = ()
    expected: tuple[G, ...] = ()
    found: Known[G] | None = None
    reserve: Known[G] | None = None
    known: PersistentDict[G, Known[G]] = field(default_factory=PersistentDict)
    climbs: int = 0


@dataclass(frozen=True, kw_only=True)
class LocalSearch:
    """Local search: hill climbing from random starts, over one-gene neighbourhoods.

    `acceptance` steepest looks at all neighbours before it moves, first moves to the first better one. Ranges of
    numbers without `points` have no neighbours to list and are refused.
    """

    space: Linear
    acceptance: Literal["first", "steepest"] = "first"

    def __post_init__(self) -> None:
        if self.acceptance not in ("first", "steepest"):
            raise UsageError(f"strategy.acceptance must be first or steepest; it is {self.acceptance!r}")

    @property
    def demands(self) -> Demands:
        """Independent genes."""
        return Demands(space=(Linear,))

    @property
    def least_evaluations(self) -> int:
        """One."""
        return 1

    def check_space(self) -> None:
        """Raises UsageError for a space with genes that cannot be listed."""
        check_listed(self.space.choices, "strategy local_search", "the neighbours along")

    def init(self, rng: Random) -> Climb[Genes]:
        """No climb yet. Raises as `check_space`."""
        self.check_space()
        return Climb()

    def ask(self, state: Climb[Genes], rng: Random) -> tuple[list[Proposal[Genes]], Climb[Genes]]:
        """The next neighbour, or a sample where there is none."""
        if state.centre is not None and state.ahead:
            genome, ahead = state.ahead[0], state.ahead[1:]
            proposal = Proposal(genome, parents=(state.centre.id,), operator="neighbour")
        else:
            genome, ahead = self._unknown(state, rng), ()
            proposal = Proposal(genome, operator="sample")
        return [proposal], replace(state, ahead=ahead, expected=(*state.expected, genome))

    def tell(self, state: Climb[Genes], told: Sequence[Evaluation[Genes]], rng: Random) -> Climb[Genes]:
        """Moves, goes on, or starts again."""
        known = state.known
        for evaluation in told:
            loss = None if evaluation.losses is None else evaluation.losses[0]
            point = Known(evaluation.id, evaluation.genome, loss)
            if point.height <= known.get(evaluation.genome, point).height:
                known = known.with_entries({evaluation.genome: point})
            state = self._hear(replace(state, expected=state.expected[1:], known=known), point)
        return self._advance(state, rng)

    def population(self, state: Climb[Genes]) -> tuple[int, ...]:
        """The centre alone."""
        return () if state.centre is None else (state.centre.id,)

    def _unknown(self, state: Climb[Genes], rng: Random) -> Genes:
        for _ in range(DRAWS):
            genome = self.space.sample(rng)
            if genome not in state.known and genome not in state.expected:
                break
        return genome

    def _hear(self, state: Climb[Genes], point: Known[Genes]) -> Climb[Genes]:
        centre = state.centre
        if centre is None or not _neighbours(centre.genome, point.genome):
            return replace(state, reserve=_better(state.reserve, point))
        if point.height < centre.height:
            return replace(state, found=_better(state.found, point))
        return state

    def _advance(self, state: Climb[Genes], rng: Random) -> Climb[Genes]:
        """Moves and restarts until there is something to ask or to wait for."""
        while True:
            if state.centre is None:
                if state.reserve is None:
                    return state
                state = self._enter(replace(state, reserve=None, climbs=state.climbs + 1), state.reserve, rng)
                continue
            waiting = any(_neighbours(state.centre.genome, genome) for genome in state.expected)
            if state.found is not None and (self.acceptance == "first" or not (state.ahead or waiting)):
                state = self._enter(state, state.found, rng)
            elif state.ahead or waiting:
                return state
            else:
                state = replace(state, centre=None)

    def _enter(self, state: Climb[Genes], centre: Known[Genes], rng: Random) -> Climb[Genes]:
        """The climb at a new centre: neighbours that are known count at once, the others are put in random order."""
        around = self._around(centre.genome)
        better = [state.known[genome] for genome in around if genome in state.known]
        found = min(better, key=lambda point: (point.height, point.id), default=None)
        ahead = [genome for genome in around if genome not in state.known and genome not in state.expected]
        rng.shuffle(ahead)
        uphill = found if found is not None and found.height < centre.height else None
        return replace(state, centre=centre, ahead=tuple(ahead), found=uphill)

    def _around(self, genome: Genes) -> list[Genes]:
        return [
            (*genome[:place], gene, *genome[place + 1 :])
            for place, locus in enumerate(self.space.choices)
            for gene in locus.grid or ()
            if gene != genome[place]
        ]


def _neighbours(first: Genes, second: Genes) -> bool:
    return sum(a != b for a, b in zip(first, second, strict=True)) == 1


def _better(first: Known[Genes] | None, second: Known[Genes]) -> Known[Genes] | None:
    if second.loss is None or (first is not None and first.height <= second.height):
        return first
    return second
