"""The state of a generational search: who lives, who was asked for and not yet told, what is known, and its figures.

An individual keeps the losses of all objectives and its violation of constraints. Strategies of one objective read
`loss`, the first of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from random import Random
from statistics import fmean
from typing import Any, Generic, TypeAlias

from evonas_cli.core.persistent import PersistentDict
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution.behaviour import Behaviours
from evonas_cli.evolution.niching import mean_distance
from evonas_cli.evolution.selection import exploit
from evonas_cli.genomes.capabilities import Buildable, Tuning

Outcome: TypeAlias = tuple[int, tuple[float, ...] | None, float]
"""What is known of a genome that was told: the candidate's id, its losses (None: failed) and its violation."""


@dataclass(frozen=True, slots=True)
class Individual(Generic[G]):
    """`losses` is None for a failed candidate; `age` counts the populations it has been in before this one.

    `violation` is that of `Evaluation`: above 0 only in strategies that rank candidates that violate constraints.
    """

    id: int
    genome: G
    losses: tuple[float, ...] | None
    age: int = 0
    violation: float = 0.0

    @property
    def loss(self) -> float | None:
        """The loss of the first objective."""
        return None if self.losses is None else self.losses[0]


@dataclass(frozen=True, slots=True)
class Birth(Generic[G]):
    """One of a generation that was asked and not yet told. The `known` are not evaluated again.

    `age` is above 0 for an individual of the population before that is evaluated once more.
    """

    genome: G
    parents: tuple[int, ...] = ()
    age: int = 0
    known: bool = False


@dataclass(frozen=True, slots=True)
class Generation(Generic[G]):
    """The living individuals, best first, equals in random order, the failed last; and the story so far.

    `number` generations have come to life, the last `stale` of them without a new best, which is the smallest first
    loss within all constraints; `archive` holds the outcome of every genome told, where known genomes are not to be
    evaluated again. `behaviours` is empty where individuals are selected for their fitness alone.
    """

    individuals: tuple[Individual[G], ...] = ()
    number: int = 0
    pending: tuple[tuple[Birth[G], ...], ...] = ()
    best_id: int | None = None
    best_loss: float | None = None
    stale: int = 0
    n_failed: int = 0
    n_cached: int = 0
    archive: PersistentDict[G, Outcome] = field(default_factory=PersistentDict)
    behaviours: Behaviours = field(default_factory=Behaviours)


def births(
    state: Generation[G], children: Sequence[tuple[Proposal[G], int]], *, archive: bool
) -> tuple[tuple[Birth[G], ...], list[Proposal[G]]]:
    """The generation to come, from proposals and ages, and what of it has to be evaluated: with `archive` the unknown.

    A genome counts as known from its first proposal on, also when that proposal is of this generation.
    """
    asked = {birth.genome for batch in state.pending for birth in batch} if archive else set()
    born, new = [], []
    for proposal, age in children:
        known = archive and (proposal.genome in state.archive or proposal.genome in asked)
        born.append(Birth(proposal.genome, proposal.parents, age, known))
        if archive:
            asked.add(proposal.genome)
        if not known:
            new.append(proposal)
    return tuple(born), new


def train_on(
    individuals: Sequence[Individual[G]], fraction: float, mutate: Callable[[G, Random], G], rng: Random
) -> list[tuple[Proposal[G], int]]:
    """A generation of population-based training (Jaderberg et al. 2017), as proposals and ages.

    Each individual continues its own weights and genome, except for the worst `fraction`. Each of these is replaced by
    a copy of one of the best, which continues the weights of that one with a mutated genome.
    """
    children = []
    sources = exploit([individual.loss for individual in individuals], rng, fraction=fraction)
    for individual, source in zip(individuals, [individuals[index] for index in sources], strict=True):
        genome, operator, age = source.genome, "train_on", source.age + 1
        if source is not individual:
            genome, age = mutate(source.genome, rng), 0
            operator = "exploit" if genome == source.genome else "exploit+mutation"
        children.append((Proposal(genome, continues=source.id, parents=(source.id,), operator=operator), age))
    return children


def settle(
    state: Generation[G], born: Sequence[Birth[G]], told: Sequence[Evaluation[G]], *, archive: bool
) -> tuple[Generation[G], list[tuple[Individual[G], tuple[int, ...]]]]:
    """The state with everything counted and recorded, the living as before, and the newborn with their parents.

    A birth whose genome is known only to a step that has not been told yet is dropped.
    """
    records: list[tuple[G, Outcome]] = [(e.genome, (e.id, e.losses, e.violation)) for e in told]
    known = state.archive.with_entries(dict(records)) if archive else PersistentDict[G, Outcome]()
    results, newborn = iter(records), []
    for birth in born:
        record = known.get(birth.genome) if birth.known else next(results)[1]
        if record is not None:
            id, losses, violation = record
            newborn.append((Individual(id, birth.genome, losses, birth.age, violation), birth.parents))
    best = min([(losses[0], id) for _, (id, losses, over) in records if losses is not None and not over], default=None)
    better = best is not None and (state.best_loss is None or best[0] < state.best_loss)
    if better and best is not None:
        state = replace(state, best_loss=best[0], best_id=best[1])
    counted = replace(
        state,
        number=state.number + 1,
        stale=0 if better else state.stale + 1,
        n_failed=state.n_failed + sum(losses is None for _, (_, losses, _) in records),
        n_cached=state.n_cached + sum(birth.known for birth in born),
        archive=known,
    )
    return counted, newborn


def best_first(
    individuals: Sequence[Individual[G]], rng: Random, losses: Mapping[int, float] | None = None
) -> list[Individual[G]]:
    """By loss, or by `losses` of their ids where these are given; equals in random order, the failed last."""

    def loss(individual: Individual[G]) -> float:
        if individual.loss is None:
            return inf
        return individual.loss if losses is None else losses[individual.id]

    return sorted(rng.sample(individuals, len(individuals)), key=loss)


def older(individual: Individual[G]) -> Individual[G]:
    """The individual one population later."""
    return replace(individual, age=individual.age + 1)


def figures(state: Generation[G], distance: Callable[[G, G], float] | None) -> dict[str, Json]:
    """Of the living: mean loss and age, unique genomes, diversity (mean distance of pairs); of the run all others."""
    losses = [individual.loss for individual in state.individuals if individual.loss is not None]
    genomes = [individual.genome for individual in state.individuals]
    measured: dict[str, Json] = {
        "generation": state.number - 1,
        "best": state.best_loss,
        "mean_loss": fmean(losses) if losses else None,
        "mean_age": fmean(individual.age for individual in state.individuals) if genomes else None,
        "unique_genomes": len(set(genomes)),
        "failed": state.n_failed,
        "cached": state.n_cached,
    }
    if distance is not None:
        measured["diversity"] = mean_distance(genomes, distance)
    return measured


def has_networks(space: Any) -> bool:
    """Whether genomes have networks of their own, and are not settings with which one network is trained."""
    return isinstance(space, Buildable) and not isinstance(space, Tuning)
