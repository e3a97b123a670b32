"""The generational genetic algorithm (Holland 1975; Goldberg 1989) with pluggable selection, crossover and survival.

    generation 0: `population_size` samples; then each generation: select parents, recombine `parents` of them with
    `crossover_probability` or clone one, mutate every gene with `mutation_probability` (null: 1 / genes), repair;
    where genomes are no independent genes the space recombines and mutates (Crossable), the latter once (null) or less;
    next population = the `elitism` best, not measured again, + the offspring, less random deaths at `death_rate`.

Fitness is the first objective, losses[0]. A failed individual is never a parent nor an elite; where no individual can
be a parent the next generation is sampled afresh. `lifespan` L wins over elitism unless `priority` says otherwise: no
individual belongs to more than L populations, and one more child takes the place of an elite that leaves. Deaths spare
no elite. The parents of a child are different individuals as far as selection leaves so many. A generation may be asked
before the one before it is told (the run's window): it breeds from the population told so far, samples if there is
none, and when it is told its worst leave if it is too large beside the elites.

`archive`: a genome that was evaluated before, failed or not, is not proposed again; it enters the population as a
newborn with its recorded id and loss. A generation of nothing else passes within one ask; after 100 of them the search
ends. `diversity`: sharing selects by shared fitness (elites are those by loss); crowding makes every individual a
parent and lets each child fight for one place. `pressure`: parents and elites are selected by `pressure.losses`, not by
loss. `inherit`: none trains each from scratch; weights starts all from the best weights so far, or where they have
networks of their own each from its first parent's; schedule is population-based training (Jaderberg et al. 2017): all
train on, and a copy of one of the best, its genes mutated, replaces each of the worst.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from random import Random
from typing import Any, Generic

from evonas_cli.core.checks import one_of, require, switch, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution import generations, niching, pressure, selection
from evonas_cli.evolution.generations import Birth, Generation, Individual, best_first, older
from evonas_cli.evolution.pressure import FITNESS, WeighedPressure
from evonas_cli.evolution.variation import CROSSOVERS, Variation, needed
from evonas_cli.genomes.capabilities import Buildable, Measured, Tuning

IDLE_GENERATIONS = 100
CROWDING = ("crowding", "probabilistic_crowding")
CHECKS: dict[str, Callable[[str, object], None]] = {
    "population_size": partial(whole, least=2),
    "generations": partial(whole, least=1, optional=True),
    "stagnation": partial(whole, least=1, optional=True),
    "target": partial(within, interval="(-inf, inf)", optional=True),
    "selection": partial(one_of, names=selection.OPERATORS),
    "tournament_size": partial(whole, least=1),
    "replacement": switch,
    "truncation_fraction": partial(within, interval="(0, 1]"),
    "ranking_pressure": partial(within, interval="(1, 2]"),
    "scaling": partial(one_of, names=selection.SCALINGS),
    "elitism": partial(whole, least=0),
    "remeasure": switch,
    "lifespan": partial(whole, least=1, optional=True),
    "priority": partial(one_of, names=("lifespan", "elitism")),
    "death_rate": partial(within, interval="[0, 1)"),
    "parents": partial(whole, least=2),
    "crossover": partial(one_of, names=CROSSOVERS),
    "crossover_probability": partial(within, interval="[0, 1]"),
    "mutation": partial(one_of, names=("redraw", "step")),
    "mutation_scale": partial(within, interval="(0, inf)"),
    "mutation_probability": partial(within, interval="[0, 1]", optional=True),
    "archive": switch,
    "diversity": partial(one_of, names=("none", "sharing", *CROWDING)),
    "sharing_radius": partial(within, interval="(0, inf)"),
    "sharing_exponent": partial(within, interval="(0, inf)"),
    "crowding_window": partial(whole, least=1, optional=True),
    "inherit": partial(one_of, names=("none", "weights", "schedule")),
    "exploit_fraction": partial(within, interval="(0, 0.5]"),
    **pressure.WEIGHED_CHECKS,
}


@dataclass(frozen=True, kw_only=True)
class Genetic(WeighedPressure, Generic[G]):
    """Generational genetic algorithm: selection, crossover, mutation, elitism, lifespan, niching, inherited weights.

    `scaling` is for roulette and sus, the other selection parameters for the operator that they name.
    """

    space: Any
    population_size: int = 20
    generations: int | None = None
    stagnation: int | None = None
    target: float | None = None
    selection: str = "tournament"
    tournament_size: int = 3
    replacement: bool = True
    truncation_fraction: float = 0.5
    ranking_pressure: float = 1.5
    scaling: str = "window"
    elitism: int = 1
    remeasure: bool = False
    lifespan: int | None = None
    priority: str = "lifespan"
    death_rate: float = 0.0
    parents: int = 2
    crossover: str = "uniform"
    crossover_probability: float = 0.9
    mutation: str = "redraw"
    mutation_scale: float = 0.1
    mutation_probability: float | None = None
    archive: bool = True
    diversity: str = "none"
    sharing_radius: float = 0.1
    sharing_exponent: float = 1.0
    crowding_window: int | None = None
    inherit: str = "none"
    exploit_fraction: float = 0.2

    def __post_init__(self) -> None:
        for key, check in CHECKS.items():
            check(key, getattr(self, key))
        size = self.population_size
        if self.elitism >= size:
            raise UsageError(f"strategy.elitism must be 0 to {size - 1} (population_size - 1); it is {self.elitism}")
        fits = self.replacement or self.selection != "tournament" or self.tournament_size <= size
        require(fits, "tournament_size", self.tournament_size, f"exceeds population_size={size} without replacement")
        require(self.parents <= size, "parents", self.parents, f"exceeds population_size={size}")
        again, crowds = self.remeasure or self._inherits, self.diversity in CROWDING
        rule = "does not go with remeasure=true or inherit, which evaluate known genomes again; set it to"
        require(not (self.archive and again), "archive", True, f"{rule} false")
        require(not (crowds and again), "diversity", self.diversity, f"{rule} none or sharing")
        if self.diversity != "none":
            self._distance()
            require(self.pressure == FITNESS, "pressure", self.pressure, "does not go with niching; set diversity=none")
        self._variation.check()
        pressure.check(self, size)
        if self.inherit == "schedule":
            rule = "needs strategy.generations, of which each trains its share of the epochs"
            require(self.generations is not None, "inherit", self.inherit, rule)
            rule = "does not go with inherit=schedule, where every individual trains on"
            for key, off in (("lifespan", None), ("death_rate", 0), ("diversity", "none"), ("pressure", FITNESS)):
                require(getattr(self, key) == off, key, getattr(self, key), rule)

    @property
    def demands(self) -> Demands:
        """What `variation.needed` says; a distance for niching; networks, or trainer settings, to inherit weights."""
        inherits = {"none": (), "weights": (Buildable,), "schedule": (Tuning,)}[self.inherit]
        stages = self.generations or 1 if self.inherit == "schedule" else 1
        return Demands(
            space=(*needed(self.space), *(() if self.diversity == "none" else (Measured,)), *inherits),
            fidelities=tuple([(stage + 1) / stages for stage in range(stages)]),
            continues=self._inherits,
            options=self.inherit == "weights",
            stages=stages,
            window=1 if self._inherits else None,
            descriptor=self.pressure != FITNESS,
        )

    @property
    def least_evaluations(self) -> int:
        """Generation 0."""
        return self.population_size

    @property
    def _inherits(self) -> bool:
        return self.inherit != "none"

    def init(self, rng: Random) -> Generation[G]:
        """No candidate."""
        return Generation()

    def ask(self, state: Generation[G], rng: Random) -> tuple[list[Proposal[G]], Generation[G]]:
        """A whole generation but for elites and known genomes; nothing when a limit or the target is reached.

        Raises UsageError for inherited weights under a window above 1.
        """
        if self._inherits and state.pending:
            raise UsageError(f"strategy.inherit={self.inherit} needs window=1: a generation goes on from the last one")
        for _ in range(IDLE_GENERATIONS):
            if self._is_over(state):
                break
            born, new = generations.births(state, self._breed(state, rng), archive=self.archive)
            if new:
                asked = replace(state, pending=(*state.pending, born))
                return [self._trained(proposal, state) for proposal in new], asked
            state = self._succeed(state, born, [], rng)
        return [], state

    def tell(self, state: Generation[G], told: Sequence[Evaluation[G]], rng: Random) -> Generation[G]:
        """The elites, a generation older, and the offspring; or the winners of crowding."""
        return self._succeed(replace(state, pending=state.pending[1:]), state.pending[0], told, rng)

    def population(self, state: Generation[G]) -> tuple[int, ...]:
        """Best first, failed individuals included; one that is there twice counts once."""
        return tuple(dict.fromkeys(individual.id for individual in state.individuals))

    def keeps(self, state: Generation[G]) -> tuple[int, ...]:
        """The best so far where all start from its weights; else the living, who train on or are parents."""
        best = () if state.best_id is None else (state.best_id,)
        return (
            best if self.inherit == "weights" and not generations.has_networks(self.space) else self.population(state)
        )

    def figures(self, state: Generation[G]) -> Mapping[str, Json]:
        """See `generations.figures`, diversity where the space has a distance, and `pressure.figures`."""
        distance = self.space.distance if isinstance(self.space, Measured) else None
        return {**generations.figures(state, distance), **pressure.figures(self, state.behaviours)}

    def _is_over(self, state: Generation[G]) -> bool:
        n_asked = state.number + len(state.pending)
        return (
            (self.generations is not None and n_asked >= self.generations)
            or (self.stagnation is not None and state.stale >= self.stagnation)
            or (self.target is not None and state.best_loss is not None and state.best_loss <= self.target)
        )

    def _breed(self, state: Generation[G], rng: Random) -> list[tuple[Proposal[G], int]]:
        """The next generation's proposals, each with the age of its individual: above 0 for one measured again."""
        able = [individual for individual in state.individuals if individual.loss is not None]
        if not able:
            return [(Proposal(self.space.sample(rng), operator="sample"), 0) for _ in range(self.population_size)]
        if self.inherit == "schedule":
            return generations.train_on(state.individuals, self.exploit_fraction, self._variation.mutate, rng)
        elites = [] if self.diversity in CROWDING else self._elites(state)
        groups, breed = self._groups(state, able, self.population_size - len(elites), rng), self._variation.child
        children = [(breed([able[index] for index in group], self.crossover_probability, rng), 0) for group in groups]
        again = elites if self.remeasure or self._inherits else []
        known = [Proposal(e.genome, parents=(e.id,), operator="elite", again=self.remeasure) for e in again]
        return [(proposal, elite.age + 1) for proposal, elite in zip(known, again, strict=True)] + children

    def _trained(self, proposal: Proposal[G], state: Generation[G]) -> Proposal[G]:
        """The proposal as it is to be trained: from whose weights, how far."""
        differ = generations.has_networks(self.space)
        source = next(iter(proposal.parents), None) if differ else state.best_id
        if self.inherit == "weights" and source is not None:
            return replace(proposal, continues=source, options={"start": "matching" if differ else "weights"})
        if self.inherit == "schedule" and self.generations is not None:
            return replace(proposal, fidelity=(state.number + 1) / self.generations)
        return proposal

    def _succeed(
        self, state: Generation[G], born: Sequence[Birth[G]], told: Sequence[Evaluation[G]], rng: Random
    ) -> Generation[G]:
        state, newborn = generations.settle(state, born, told, archive=self.archive)
        survivors = self._survivors(state, newborn, rng)
        own = {one.id: one.loss for one in survivors if one.loss is not None}
        state = replace(state, behaviours=pressure.judged(self, state.behaviours, told, own, rng))
        alive = best_first(survivors, rng, pressure.losses(self, state.behaviours, own))
        if self.death_rate:
            alive = [individual for individual in alive if rng.random() >= self.death_rate]
        return replace(state, individuals=tuple(alive))

    def _survivors(
        self, state: Generation[G], newborn: Sequence[tuple[Individual[G], tuple[int, ...]]], rng: Random
    ) -> list[Individual[G]]:
        if self.diversity in CROWDING:
            return niching.crowd(
                [older(i) for rank, i in enumerate(state.individuals) if self._may_stay(rank, i)],
                newborn,
                rng,
                distance=self._distance(),
                size=self.population_size,
                window=self.crowding_window,
                probabilistic=self.diversity == "probabilistic_crowding",
                protected=self.elitism,
            )
        elites = [] if self.remeasure or self._inherits else [older(elite) for elite in self._elites(state)]
        room = self.population_size - len(elites)
        return elites + best_first([child for child, _ in newborn], rng)[:room]

    def _elites(self, state: Generation[G]) -> list[Individual[G]]:
        best = enumerate(state.individuals[: self.elitism])
        return [elite for rank, elite in best if elite.loss is not None and self._may_stay(rank, elite)]

    def _may_stay(self, rank: int, individual: Individual[G]) -> bool:
        exempt = self.priority == "elitism" and rank < self.elitism
        return exempt or self.lifespan is None or individual.age + 2 <= self.lifespan

    def _groups(self, state: Generation[G], able: Sequence[Individual[G]], n: int, rng: Random) -> list[list[int]]:
        """The indices of the parents of each of n children: of one child all different, fewer where need be."""
        if self.diversity in CROWDING:
            return niching.families(len(able), self.parents, n, rng)
        own = {parent.id: parent.loss for parent in able if parent.loss is not None}
        by_id = pressure.losses(self, state.behaviours, own)
        losses = [by_id[parent.id] for parent in able]
        if self.diversity == "sharing":
            genomes, niche = [parent.genome for parent in able], (self.sharing_radius, self.sharing_exponent)
            losses = [-value for value in niching.shared_fitness(losses, genomes, self._distance(), *niche)]
        size = self.tournament_size if self.replacement else min(self.tournament_size, len(able))
        more = self.truncation_fraction, self.ranking_pressure, self.scaling
        select = selection.OPERATORS[self.selection](selection.Settings(size, self.replacement, *more))
        return selection.groups(select(losses, self.parents * n, rng), [one.id for one in able], self.parents, rng)

    @cached_property
    def _variation(self) -> Variation:
        scale = None if self.mutation == "redraw" else self.mutation_scale
        return Variation(self.space, self.crossover, scale, self.mutation_probability)

    def _distance(self) -> Callable[[G, G], float]:
        if not isinstance(self.space, Measured):
            rule = f"needs a space that is Measured; {type(self.space).__name__} has no distance"
            raise UsageError(f"strategy.diversity={self.diversity} {rule}")
        return self.space.distance
