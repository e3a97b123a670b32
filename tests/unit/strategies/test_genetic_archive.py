"""Known genomes are not evaluated again, the search ends where it is told to, and its figures are right."""

from __future__ import annotations

from itertools import combinations
from random import Random

import pytest
from generational import SPACE, alive, genetic, observe, offspring, run, told

from evonas_cli.core.persistent import PersistentDict
from evonas_cli.core.types import Evaluation
from evonas_cli.evolution.generations import Birth, Generation, Individual
from evonas_cli.genomes.choices import Genes
from evonas_cli.spaces.bits import Bits


def ones(id: int, genome: Genes) -> float:
    return -float(genome.count(1))


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("diversity", ["none", "sharing", "crowding"])
def test_no_genome_is_proposed_twice(window: int, diversity: str) -> None:
    strategy = genetic(space=Bits(6), population_size=8, archive=True, diversity=diversity)
    steps, states = run(strategy, 60, lambda id, g: None if id % 5 == 4 else ones(id, g), window=window)
    genomes = [proposal.genome for step in steps for proposal in step]
    assert len(set(genomes)) == len(genomes)
    assert set(states[-1].archive) <= set(genomes)
    twice, _ = run(genetic(space=Bits(6), population_size=8), 60, ones, window=window)
    assert len({p.genome for step in twice for p in step}) < sum(map(len, twice))


def test_a_known_child_enters_with_what_is_recorded_and_costs_nothing() -> None:
    strategy = genetic(space=Bits(2), population_size=3, elitism=0, archive=True, mutation_probability=0.0)
    living = (Individual(7, (1, 1), (-2.0,)), Individual(4, (0, 1), (-1.0,)), Individual(2, (0, 0), None))
    archive = {member.genome: (member.id, member.losses, 0.0) for member in living}
    born = (Birth((0, 1), (7, 4), known=True), Birth((1, 0), (7,)), Birth((0, 0), (4,), known=True))
    state = Generation(
        living, number=3, pending=(born,), best_id=7, best_loss=-2.0, archive=PersistentDict(archive), n_failed=1
    )
    after = strategy.tell(state, [Evaluation(9, (1, 0), (-1.5,))], Random(0))
    assert [(i.id, i.genome, i.loss, i.age) for i in after.individuals] == [
        (9, (1, 0), -1.5, 0),
        (4, (0, 1), -1.0, 0),
        (2, (0, 0), None, 0),
    ]
    assert (after.n_cached, after.n_failed, after.stale, after.best_id, after.number) == (2, 1, 1, 7, 4)
    assert after.archive == archive | {(1, 0): (9, (-1.5,), 0.0)}


def test_equal_children_of_one_generation_are_evaluated_once() -> None:
    strategy = genetic(space=Bits(1), population_size=6, archive=True)
    proposals, state = strategy.ask(strategy.init(Random(0)), Random(0))
    assert sorted(p.genome for p in proposals) == [(0,), (1,)]
    after = strategy.tell(state, [Evaluation(n, p.genome, (float(n),)) for n, p in enumerate(proposals)], Random(0))
    assert len(after.individuals) == 6
    assert set(strategy.population(after)) == {0, 1}
    assert after.n_cached == 4


def test_the_search_ends_when_nothing_new_is_found() -> None:
    strategy = genetic(space=Bits(3), population_size=4, archive=True)
    steps, states = run(strategy, 200, ones)
    assert len(steps) < 200
    assert 4 <= len(states[-1].archive) <= 8
    proposals, state = strategy.ask(states[-1], Random(1))
    assert (proposals, state.number) == ([], states[-1].number + 100)
    assert run(genetic(space=Bits(3), population_size=4), 200, ones)[0][199]


def test_a_generation_of_known_genomes_passes_within_one_ask() -> None:
    strategy = genetic(space=Bits(4), population_size=4, archive=True)
    steps, states = run(strategy, 200, ones)
    assert states[-1].number > len(states)
    assert all(steps)
    assert states[-1].best_loss == -4


def test_failed_genomes_are_known_and_never_parents() -> None:
    strategy = genetic(space=Bits(5), population_size=6, archive=True)
    steps, states = run(strategy, 60, lambda id, genome: None if genome[0] else ones(id, genome))
    proposals = [p for step in steps for p in step]
    assert states[-1].n_failed == sum(p.genome[0] == 1 for p in proposals) > 0
    failed = {id for id, p in enumerate(proposals) if p.genome[0]}
    assert not failed & {parent for p in proposals for parent in p.parents}


def test_without_an_archive_nothing_is_recorded() -> None:
    _, states = run(genetic(space=Bits(3)), 4, ones)
    assert (states[-1].archive, states[-1].n_cached) == ({}, 0)


def test_generations_end_the_search() -> None:
    assert len(run(genetic(generations=3), 10, observe(0, 0.0))[0]) == 3
    assert len(run(genetic(generations=5), 10, observe(0, 0.0), window=3)[0]) == 5


def test_stagnation_ends_the_search() -> None:
    """New bests in generations 0 and 2 only: with a stagnation of 3 generation 5 is the last."""
    strategy = genetic(population_size=4, elitism=0, stagnation=3)
    losses = [5.0] * 4 + [5.0] * 4 + [6.0, 4.0, 6.0, 6.0] + [4.0] * 40
    steps, states = run(strategy, 12, lambda id, genome: losses[id])
    assert [state.stale for state in states] == [0, 1, 0, 1, 2, 3]
    assert len(steps) == 6
    failing, _ = run(strategy, 12, lambda id, genome: None)
    assert len(failing) == 3


def test_the_target_ends_the_search() -> None:
    losses = [5.0] * 8 + [3.0] + [9.0] * 40
    for target, n_steps in ((3.0, 3), (3.5, 3), (2.9, 10), (5.0, 1)):
        strategy = genetic(population_size=4, elitism=0, target=target)
        assert len(run(strategy, 10, lambda id, genome: losses[id])[0]) == n_steps


def test_figures_by_hand() -> None:
    strategy = genetic(population_size=4)
    state = told(strategy, alive([]), offspring(0, [0.5, None, 0.1, 0.3]), Random(0))
    figures = strategy.figures(state)
    pairs = list(combinations([SPACE.sample(Random(id)) for id in range(4)], 2))
    diversity = figures.pop("diversity")  # type: ignore[attr-defined]
    assert diversity == pytest.approx(sum(SPACE.distance(*pair) for pair in pairs) / 6)
    assert figures == {
        "generation": 0,
        "best": 0.1,
        "mean_loss": pytest.approx(0.3),
        "mean_age": 0.0,
        "unique_genomes": 4,
        "failed": 1,
        "cached": 0,
    }
    later = strategy.figures(told(strategy, state, offspring(4, [0.2, 0.4, None]), Random(0)))
    assert (later["generation"], later["best"], later["mean_age"], later["failed"]) == (1, 0.1, 0.25, 2)


def test_figures_of_nobody() -> None:
    figures = genetic().figures(alive([]))
    assert (figures["generation"], figures["mean_loss"], figures["mean_age"], figures["diversity"]) == (
        -1, None, None, 0.0,
    )  # fmt: skip
