"""Children of the genetic algorithm: k parents, numbers, repair; and who dies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from statistics import fmean, pstdev

import pytest
from generational import SPACE, alive, genetic, observe, offspring, run, told

from evonas_cli.evolution.crossover import OPERATORS
from evonas_cli.evolution.generations import Generation, Individual
from evonas_cli.genomes import choices
from evonas_cli.genomes.capabilities import Repairable
from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.ranges import Integer, Real


@dataclass(frozen=True)
class Mixed:
    """A number, a whole number and an option."""

    choices = (Real("x", 0.0, 10.0), Integer("n", 1, 9), Choice("o", ("a", "b", "c")))

    def sample(self, rng: Random) -> Genes:
        return choices.sample(self.choices, rng)


def mixed(*genomes: Genes) -> Generation[Genes]:
    return Generation(tuple(Individual(id, genome, (float(id),)) for id, genome in enumerate(genomes)))


class Labels:
    """Genomes of 100 labels."""

    choices = tuple(Choice(f"label {place}", tuple(range(12))) for place in range(100))

    def sample(self, rng: Random) -> Genes:
        return choices.sample(self.choices, rng)


@pytest.mark.parametrize("crossover", OPERATORS)
@pytest.mark.parametrize("n_parents", [2, 3, 5])
def test_a_child_has_k_different_parents_and_genes_of_theirs(crossover: str, n_parents: int) -> None:
    strategy = genetic(
        space=Labels(), population_size=12, parents=n_parents, crossover=crossover, crossover_probability=1.0,
        mutation_probability=0.0,
    )  # fmt: skip
    state = alive([float(i) for i in range(12)])
    state = replace(state, individuals=tuple(replace(i, genome=(i.id,) * 100) for i in state.individuals))
    for seed in range(5):
        for proposal in strategy.ask(state, Random(seed))[0]:
            assert len(set(proposal.parents)) == len(proposal.parents) == n_parents
            assert set(proposal.genome) == set(proposal.parents)


def test_fewer_parents_where_fewer_live() -> None:
    strategy = genetic(population_size=6, parents=4, crossover_probability=1.0)
    proposals, _ = strategy.ask(alive([0.1, 0.2, None, None, None, None]), Random(0))
    assert {frozenset(p.parents) for p in proposals} == {frozenset({0, 1})}


def test_blend_puts_numbers_between_those_of_the_parents_and_options_of_one() -> None:
    strategy = genetic(
        space=Mixed(), population_size=2, elitism=0, crossover="blend", crossover_probability=1.0,
        mutation_probability=0.0, tournament_size=1,
    )  # fmt: skip
    state = mixed((2.0, 3, "a"), (6.0, 7, "b"))
    proposals = [p for seed in range(500) for p in strategy.ask(state, Random(seed))[0]]
    children = [p.genome for p in proposals if len(p.parents) == 2]
    numbers = [float(x) for x, _, _ in children]
    assert all(2 <= x <= 6 for x in numbers)
    assert abs(fmean(numbers) - 4) < 0.2 and len(set(numbers)) > 500
    assert {n for _, n, _ in children} == {3, 4, 5, 6, 7}
    assert 0.4 < fmean(o == "a" for _, _, o in children) < 0.6


def test_steps_are_gaussian_on_numbers_and_redraws_on_options() -> None:
    strategy = genetic(
        space=Mixed(), population_size=2, elitism=0, crossover_probability=0.0, mutation="step", mutation_scale=0.05,
        mutation_probability=1.0,
    )  # fmt: skip
    state = mixed((5.0, 5, "a"), (5.0, 5, "a"))
    children = [p.genome for seed in range(500) for p in strategy.ask(state, Random(seed))[0]]
    assert pstdev(float(x) for x, _, _ in children) == pytest.approx(0.5, rel=0.1)
    assert all(n != 5 for _, n, _ in children)
    assert {o for _, _, o in children} == {"b", "c"}


class Balanced:
    """Bit strings of as many ones as zeros: a child of two may be none, until it is repaired."""

    choices = tuple(Choice(f"bit {place}", (0, 1)) for place in range(10))

    def sample(self, rng: Random) -> Genes:
        return tuple(rng.sample((0, 1) * 5, 10))

    def repair(self, genome: Genes, rng: Random) -> Genes:
        genes = list(genome)
        while (surplus := genes.count(1) - 5) != 0:
            wrong = [place for place, gene in enumerate(genes) if gene == (surplus > 0)]
            genes[rng.choice(wrong)] = int(surplus < 0)
        return tuple(genes)


def test_children_are_repaired_where_the_space_can() -> None:
    space = Balanced()
    assert isinstance(space, Repairable) and not isinstance(SPACE, Repairable)
    steps, _ = run(genetic(space=space, population_size=8), 20, lambda id, genome: float(genome[0] == 0))
    assert {p.genome.count(1) for step in steps for p in step} == {5}
    assert {p.operator for p in steps[3]} - {"identity"}


@pytest.mark.parametrize("rate", [0.25, 0.6])
def test_survivors_die_at_the_death_rate_elites_included(rate: float) -> None:
    strategy = genetic(population_size=20, elitism=5, death_rate=rate)
    start = alive([float(i) for i in range(20)])
    after = [told(strategy, start, offspring(20, [9.0] * 15), Random(seed)) for seed in range(200)]
    assert fmean(len(state.individuals) for state in after) == pytest.approx(20 * (1 - rate), rel=0.05)
    assert fmean(0 in strategy.population(state) for state in after) == pytest.approx(1 - rate, abs=0.1)
    assert min(len(strategy.ask(state, Random(0))[0]) for state in after) >= 15


def test_what_the_dead_leave_free_goes_to_children() -> None:
    steps, states = run(genetic(population_size=10, elitism=4, death_rate=0.3), 30, observe(0, 0.0))
    for step, state in zip(steps[1:], states, strict=False):
        assert len(step) == 10 - min(4, len(state.individuals))
    assert all(len(state.individuals) <= 10 for state in states)
    assert states[-1].best_loss == min(observe(0, 0.0)(0, p.genome) for step in steps for p in step)


def test_where_all_die_the_next_generation_is_sampled() -> None:
    strategy = genetic(population_size=2, death_rate=0.99)
    steps, states = run(strategy, 10, observe(0, 0.0))
    died = [step for step, state in zip(steps[1:], states, strict=False) if not state.individuals]
    assert len(died) >= 8
    assert {p.operator for step in died for p in step} == {"sample"}


def test_elitism_wins_over_lifespan_if_told_so() -> None:
    losses = [0.0, 0.5, 0.6, *[float(i) for i in range(1, 30)]]
    for priority, survivor in (("lifespan", 5), ("elitism", 0)):
        strategy = genetic(population_size=3, elitism=1, lifespan=2, priority=priority)
        _, states = run(strategy, 3, lambda id, genome: losses[id])
        assert states[2].individuals[0].id == survivor


def test_a_population_without_selection_does_not_climb() -> None:
    """Uniform parents, no elites: a random walk under mutation, whose bits stay fair coins."""
    settings = {"population_size": 30, "elitism": 0}
    _, drift = run(genetic(tournament_size=1, **settings), 40, observe(0, 0.0))
    _, climb = run(genetic(tournament_size=3, **settings), 40, observe(0, 0.0))
    assert abs(fmean(i.loss or 0.0 for i in drift[-1].individuals) + 0.5) < 0.1
    assert fmean(i.loss or 0.0 for i in climb[-1].individuals) < -0.8
