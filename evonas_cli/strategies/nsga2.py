"""NSGA-II, the elitist non-dominated sorting genetic algorithm (Deb, Pratap, Agarwal and Meyarivan, IEEE TEC 2002).

    generation 0: `population_size` samples; then each generation: as many children, each of two parents; a parent is
    the better of two individuals drawn at random, by front, then by crowding distance, ties at random;
    next population = the best `population_size` of the population and the children, by front, then crowding distance

Constraint domination: who satisfies all constraints comes before who does not, the latter by violation (section VI).
A failed candidate comes last and is never a parent. With one objective this is a genetic algorithm with truncation.

Beside the paper: two parents have one child, not two. Crowding in a tournament is that among the living. Equals at the
cut stand by place: older ones first. A child whose genome lives, or is being evaluated, is bred again, up to `TRIES`
times; with `archive` also one whose genome was ever told. With `archive`, one that is found again nevertheless enters
with what is recorded, and after 100 generations of nothing else the search ends. A generation may be asked before the
one before it is told (the run's window): it breeds from the population told so far, samples if there is none.

`pressure` other than fitness makes behaviour one more objective, the last one: the bonus of `evolution.pressure`, as in
Mouret's novelty-based multiobjectivization (2011). Constraints come before, and the run's front is without it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any, Generic

from evonas_cli.core.checks import one_of, switch, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution import generations, pressure
from evonas_cli.evolution.generations import Birth, Generation, Individual, older
from evonas_cli.evolution.nondominated import best_first, constrained_fronts, preferences
from evonas_cli.evolution.pressure import FITNESS, PressureSettings
from evonas_cli.evolution.selection import winner
from evonas_cli.evolution.variation import CROSSOVERS, Variation, needed
from evonas_cli.genomes.capabilities import Measured

IDLE_GENERATIONS = 100
TRIES = 20


@dataclass(frozen=True, kw_only=True)
class Nsga2(PressureSettings, Generic[G]):
    """NSGA-II: evolves a front by all objectives, with non-dominated sorting and crowding (Deb et al., 2002)."""

    space: Any
    population_size: int = 20
    generations: int | None = None
    crossover: str = "uniform"
    crossover_probability: float = 0.9
    mutation: str = "redraw"
    mutation_scale: float = 0.1
    mutation_probability: float | None = None
    archive: bool = True

    def __post_init__(self) -> None:
        whole("population_size", self.population_size, least=2)
        whole("generations", self.generations, least=1, optional=True)
        one_of("crossover", self.crossover, names=CROSSOVERS)
        within("crossover_probability", self.crossover_probability, interval="[0, 1]")
        one_of("mutation", self.mutation, names=("redraw", "step"))
        within("mutation_scale", self.mutation_scale, interval="(0, inf)")
        within("mutation_probability", self.mutation_probability, interval="[0, 1]", optional=True)
        switch("archive", self.archive)
        self._variation.check()
        pressure.check(self, self.population_size)

    @property
    def demands(self) -> Demands:
        """Genomes that recombine and mutate; violations are told, since they are ranked here."""
        behaves = self.pressure != FITNESS
        return Demands(space=needed(self.space), violations=True, objectives="all", descriptor=behaves)

    @property
    def least_evaluations(self) -> int:
        """Generation 0."""
        return self.population_size

    def init(self, rng: Random) -> Generation[G]:
        """No candidate."""
        return Generation()

    def ask(self, state: Generation[G], rng: Random) -> tuple[list[Proposal[G]], Generation[G]]:
        """A whole generation but for known genomes; nothing when all generations were asked."""
        for _ in range(IDLE_GENERATIONS):
            if self.generations is not None and state.number + len(state.pending) >= self.generations:
                break
            born, new = generations.births(state, self._breed(state, rng), archive=self.archive)
            if new:
                return new, replace(state, pending=(*state.pending, born))
            state = self._succeed(state, born, [], rng)
        return [], state

    def tell(self, state: Generation[G], told: Sequence[Evaluation[G]], rng: Random) -> Generation[G]:
        """The best of the population and its children."""
        return self._succeed(replace(state, pending=state.pending[1:]), state.pending[0], told, rng)

    def population(self, state: Generation[G]) -> tuple[int, ...]:
        """Best first: front by front, the least crowded first, then the failed."""
        return tuple([individual.id for individual in state.individuals])

    def figures(self, state: Generation[G]) -> Mapping[str, Json]:
        """See `generations.figures`; `front` and `infeasible` count the living that no other dominates and those that
        violate constraints."""
        distance = self.space.distance if isinstance(self.space, Measured) else None
        able = [individual for individual in state.individuals if individual.losses is not None]
        first = next(iter(constrained_fronts(*_judged(able))), [])
        return {
            **generations.figures(state, distance),
            "front": sum(not able[index].violation for index in first),
            "infeasible": sum(individual.violation > 0 for individual in able),
            **pressure.figures(self, state.behaviours),
        }

    def _breed(self, state: Generation[G], rng: Random) -> list[tuple[Proposal[G], int]]:
        """The next generation's proposals, each with its age, 0."""
        able = [individual for individual in state.individuals if individual.losses is not None]
        place = dict(zip([parent.id for parent in able], preferences(*self._judged(state, able)), strict=True))

        def parent(among: Sequence[Individual[G]]) -> Individual[G]:
            return winner(among, lambda one: place[one.id], rng, size=min(2, len(among)), replacement=False)

        def child() -> Proposal[G]:
            if not able:
                return Proposal(self.space.sample(rng), operator="sample")
            mother = parent(able)
            others = [other for other in able if other is not mother]
            parents = [mother, parent(others)] if others else [mother]
            return self._variation.child(parents, self.crossover_probability, rng)

        taken = {individual.genome for individual in state.individuals}
        taken |= {birth.genome for batch in state.pending for birth in batch}
        children = []
        for _ in range(self.population_size):
            proposal = _fresh(child, taken, state.archive)
            taken.add(proposal.genome)
            children.append((proposal, 0))
        return children

    def _succeed(
        self, state: Generation[G], born: Sequence[Birth[G]], told: Sequence[Evaluation[G]], rng: Random
    ) -> Generation[G]:
        state, newborn = generations.settle(state, born, told, archive=self.archive)
        everyone: dict[int, Individual[G]] = {}
        for individual in (*map(older, state.individuals), *[child for child, _ in newborn]):
            everyone.setdefault(individual.id, individual)
        able = [individual for individual in everyone.values() if individual.losses is not None]
        failed = [individual for individual in everyone.values() if individual.losses is None]
        behaviours = pressure.judged(self, state.behaviours, told, [individual.id for individual in able], rng)
        state = replace(state, behaviours=behaviours)
        ranked = [able[index] for index in best_first(*self._judged(state, able))]
        return replace(state, individuals=tuple([*ranked, *failed][: self.population_size]))

    def _judged(
        self, state: Generation[G], able: Sequence[Individual[G]]
    ) -> tuple[list[tuple[float, ...]], list[float]]:
        """As `_judged`, with the bonus for behaviour as a last loss where there is one."""
        losses, violations = _judged(able)
        own = dict(zip([one.id for one in able], losses, strict=True))
        by_id = pressure.objectives(self, state.behaviours, own)
        return [by_id[one.id] for one in able], violations

    @cached_property
    def _variation(self) -> Variation:
        scale = None if self.mutation == "redraw" else self.mutation_scale
        return Variation(self.space, self.crossover, scale, self.mutation_probability)


def _judged(individuals: Sequence[Individual[Any]]) -> tuple[list[tuple[float, ...]], list[float]]:
    """Losses and violations of individuals that succeeded."""
    return [one.losses or () for one in individuals], [one.violation for one in individuals]


def _fresh(child: Callable[[], Proposal[G]], taken: Container[G], archive: Container[G]) -> Proposal[G]:
    """A child whose genome is neither taken nor in the archive; the last of `TRIES` where none was."""
    for _ in range(TRIES):
        proposal = child()
        if proposal.genome not in taken and proposal.genome not in archive:
            break
    return proposal
