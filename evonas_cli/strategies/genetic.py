"""The generational genetic algorithm (Holland 1975; Goldberg 1989) with pluggable selection, crossover and survival.

    generation 0: `population_size` samples; then each generation: select parents, recombine two of them with
    `crossover_probability` or clone one, redraw every gene with `mutation_probability` (null: 1 / genes);
    next population = the `elitism` best, not measured again, + the offspring.

Fitness is the first objective, losses[0]. A failed individual is never a parent nor an elite; where nobody can be a
parent the next generation is sampled afresh. `lifespan` L wins over elitism: nobody belongs to more than L populations,
and the place of an elite that leaves goes to one more child. Every child has its own two parents, different individuals
unless selection left only one. A generation may be asked before the one before it is told (the run's window): it breeds
from the population told so far, samples if there is none, and when it is told its worst leave if it is too large beside
the elites.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import inf
from random import Random
from typing import Generic

from evonas_cli.core import crossover as crossovers
from evonas_cli.core import select
from evonas_cli.core.choices import Genes, redraw
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Linear
from evonas_cli.core.types import Evaluation, G, Proposal


@dataclass(frozen=True, slots=True)
class Individual(Generic[G]):
    """`loss` is None for a failed candidate; `age` counts the populations it has been in before this one."""

    id: int
    genome: G
    loss: float | None
    age: int = 0


@dataclass(frozen=True, slots=True)
class Generation(Generic[G]):
    """The living individuals, best first, equals in random order, the failed last."""

    individuals: tuple[Individual[G], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Genetic:
    """Generational genetic algorithm: selection, crossover, mutation, elitism, lifespan.

    `scaling` is for roulette and sus, the other selection parameters for the operator that they name.
    """

    space: Linear
    population_size: int = 20
    selection: str = "tournament"
    tournament_size: int = 3
    truncation_fraction: float = 0.5
    ranking_pressure: float = 1.5
    scaling: str = "window"
    elitism: int = 1
    lifespan: int | None = None
    crossover: str = "uniform"
    crossover_probability: float = 0.9
    mutation_probability: float | None = None

    def __post_init__(self) -> None:
        _whole("population_size", self.population_size, 2)
        _one_of("selection", self.selection, select.OPERATORS)
        _whole("tournament_size", self.tournament_size, 1)
        _within("truncation_fraction", self.truncation_fraction, "(0, 1]")
        _within("ranking_pressure", self.ranking_pressure, "(1, 2]")
        _one_of("scaling", self.scaling, select.SCALINGS)
        _whole("elitism", self.elitism, 0)
        if self.elitism >= self.population_size:
            limit = self.population_size - 1
            raise UsageError(f"strategy.elitism must be 0 to {limit} (population_size - 1); it is {self.elitism}")
        if self.lifespan is not None:
            _whole("lifespan", self.lifespan, 1, " or null")
        _one_of("crossover", self.crossover, crossovers.MASKS)
        _within("crossover_probability", self.crossover_probability, "[0, 1]")
        if self.mutation_probability is not None:
            _within("mutation_probability", self.mutation_probability, "[0, 1]", " or null")

    @property
    def needs(self) -> tuple[type, ...]:
        """Independent choices."""
        return (Linear,)

    @property
    def least_evaluations(self) -> int:
        """Generation 0."""
        return self.population_size

    def init(self, rng: Random) -> Generation[Genes]:
        """Nobody."""
        return Generation()

    def ask(self, state: Generation[Genes], rng: Random) -> tuple[list[Proposal[Genes]], Generation[Genes]]:
        """A whole generation: what `population_size` leaves room for beside the elites."""
        parents = [individual for individual in state.individuals if individual.loss is not None]
        if not parents:
            samples = [Proposal(self.space.sample(rng), operator="sample") for _ in range(self.population_size)]
            return samples, state
        pairs = self._pairs(parents, self.population_size - len(self._elites(state)), rng)
        return [self._child(first, second, rng) for first, second in pairs], state

    def tell(self, state: Generation[Genes], told: Sequence[Evaluation[Genes]], rng: Random) -> Generation[Genes]:
        """The elites, a generation older, and the offspring."""
        elites = [replace(elite, age=elite.age + 1) for elite in self._elites(state)]
        offspring = [
            Individual(child.id, child.genome, None if child.losses is None else child.losses[0]) for child in told
        ]
        room = self.population_size - len(elites)
        return Generation(tuple(_best_first(elites + _best_first(offspring, rng)[:room], rng)))

    def population(self, state: Generation[Genes]) -> tuple[int, ...]:
        """Best first, failed individuals included."""
        return tuple([individual.id for individual in state.individuals])

    def _elites(self, state: Generation[Genes]) -> list[Individual[Genes]]:
        last_age = inf if self.lifespan is None else self.lifespan - 2
        best = state.individuals[: self.elitism]
        return [elite for elite in best if elite.loss is not None and elite.age <= last_age]

    def _pairs(
        self, parents: Sequence[Individual[Genes]], n: int, rng: Random
    ) -> list[tuple[Individual[Genes], Individual[Genes]]]:
        settings = select.Settings(self.tournament_size, self.truncation_fraction, self.ranking_pressure, self.scaling)
        losses = [parent.loss for parent in parents if parent.loss is not None]
        selected = select.OPERATORS[self.selection](settings)(losses, 2 * n, rng)
        pairs = []
        for first, second in zip(selected[::2], selected[1::2], strict=True):
            others = [index for index in selected if index != first] if first == second else []
            mate = rng.choice(others) if others else second
            pairs.append((parents[first], parents[mate]))
        return pairs

    def _child(self, first: Individual[Genes], second: Individual[Genes], rng: Random) -> Proposal[Genes]:
        recombined = first is not second and rng.random() < self.crossover_probability
        genome = first.genome
        parents: tuple[int, ...] = (first.id,)
        if recombined:
            mask = crossovers.MASKS[self.crossover](len(genome), rng)
            genome, parents = crossovers.recombine(mask, genome, second.genome), (first.id, second.id)
        child = self._mutate(genome, rng)
        steps = ["crossover"] * recombined + ["mutation"] * (child != genome)
        return Proposal(child, parents=parents, operator="+".join(steps) or "identity")

    def _mutate(self, genome: Genes, rng: Random) -> Genes:
        probability = self.mutation_probability
        if probability is None:
            probability = 1 / max(1, len(genome))
        for locus in range(len(genome)):
            if rng.random() < probability:
                genome = redraw(self.space.choices, genome, locus, rng)
        return genome


def _best_first(individuals: Sequence[Individual[G]], rng: Random) -> list[Individual[G]]:
    shuffled = rng.sample(individuals, len(individuals))
    return sorted(shuffled, key=lambda individual: inf if individual.loss is None else individual.loss)


def _whole(key: str, value: object, least: int, otherwise: str = "") -> None:
    if type(value) is not int or value < least:
        raise UsageError(f"strategy.{key} must be a whole number of at least {least}{otherwise}; it is {value!r}")


def _within(key: str, value: object, interval: str, otherwise: str = "") -> None:
    low, high = (float(end) for end in interval[1:-1].split(","))
    number = type(value) in (int, float)
    if not number or not low <= value <= high or (value == low and interval[0] == "("):  # type: ignore[operator]
        raise UsageError(f"strategy.{key} must be a number in {interval}{otherwise}; it is {value!r}")


def _one_of(key: str, value: object, names: Collection[str]) -> None:
    if value not in names:
        raise UsageError(f"strategy.{key} must be one of {', '.join(names)}; it is {value!r}")
