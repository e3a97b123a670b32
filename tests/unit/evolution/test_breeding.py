"""A speciated population: who lives on, who may be a parent, and what is refused by all strategies that breed so."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.evolution.breeding import Breeding, Kind, Part, Population, by_front, credit
from evonas_cli.evolution.neat import GraphLoci, MutationRates, grow
from evonas_cli.evolution.speciation import Species
from evonas_cli.genomes.marked_graph import MarkedGraph, NodeGene, marked_graph, minimal, split_mark
from evonas_cli.genomes.ranges import Real

LOCI = GraphLoci((Real("x", 0.0, 1.0),))
NO_MUTATION = MutationRates(0.0, 0.0, 0.0, 0.0, 0.01)


def breeding(**rest: Any) -> Breeding:
    settings = {"elitism": 1, "survival_fraction": 0.5, "crossover_probability": 0.0, "rates": NO_MUTATION}
    return Breeding(**{**settings, "unmatched_coefficient": 1.0, "gene_coefficient": 1.0, "threshold": 0.3, **rest})


def kind(size: int, draw: Any = None, **rest: Any) -> Kind:
    return Kind(size, 2, LOCI, draw or (lambda rng: minimal((rng.random(),))), breeding(**rest))


def population(*species: list[float | None]) -> Population:
    """Parts with these fitnesses; those of species s have the gene s / 10 and candidates as their ids."""
    parts = [
        (label, fitness, minimal((label / 10,))) for label, fitnesses in enumerate(species) for fitness in fitnesses
    ]
    return Population(
        tuple([Part(id, graph, label, fitness, best=100 + id) for id, (label, fitness, graph) in enumerate(parts)]),
        tuple([Species(label, minimal((label / 10,))) for label in range(len(species))]),
        0.3,
        50,
        60,
    )


def test_the_best_of_each_species_live_on_and_the_worst_leave_no_children() -> None:
    """Ranks 6, 5, 4 and 3, 2, 1: shares of 5 and 2 make 4 and 2 of 6 places. Half of a species of 3 are 2 parents."""
    before = population([0.9, 0.8, 0.7], [0.6, 0.5, 0.4])
    assert [part.id for part in kind(6).elites(before)] == [0, 3]
    children = [child for seed in range(50) for child in kind(6).offspring(before, 0, Random(seed))]
    assert len(children) == 50 * 4
    assert {child.ancestors for child in children} == {(100,), (101,), (103,), (104,)}
    few = [child for seed in range(50) for child in kind(6, survival_fraction=0.1).offspring(before, 0, Random(seed))]
    assert {child.ancestors for child in few} == {(100,), (103,)}


def test_who_has_no_fitness_is_neither_parent_nor_elite() -> None:
    before = population([None, -7.0], [None, None])
    everybody = kind(4, elitism=3)
    assert [part.id for part in everybody.elites(before)] == [1]
    children = everybody.offspring(before, 0, Random(0))
    assert {child.ancestors for child in children} == {(101,)} and len(children) == 3


@pytest.mark.parametrize("species", [([0.9, 0.8], [0.7, 0.6]), ([0.9], [0.8], [0.7]), ([0.9, 0.1],)])
def test_elites_never_take_every_place(species: tuple[list[float | None], ...]) -> None:
    """A strategy that asks for nothing would end the search."""
    before = population(*species)
    size = len(before.parts)
    full = kind(size, elitism=size)
    elites, children = full.elites(before), full.offspring(before, 0, Random(0))
    assert len(elites) + len(children) == size and len(children) >= 1
    assert max(before.parts, key=lambda part: part.fitness or 0.0).id in {part.id for part in elites}


def test_an_elite_descends_from_the_network_in_which_it_was_best() -> None:
    assert [part.ancestors for part in kind(4).elites(population([0.9, 0.1], [0.5]))] == [(100,), (102,)]


def test_structure_that_does_not_match_comes_from_the_fitter() -> None:
    """Whichever parent is drawn first."""
    fit, unfit = grow(4, 0, LOCI, Random(1)), grow(2, 0, LOCI, Random(9))
    before = Population((Part(0, fit, 0, 0.9, best=1), Part(1, unfit, 0, 0.2, best=0)), (Species(0, fit),), 9.0, 2, 1)
    crossing = kind(20, crossover_probability=1.0, survival_fraction=1.0, elitism=0)
    children = crossing.offspring(before, 0, Random(3))
    assert {child.ancestors for child in children} == {(0, 1)}
    assert all({n.mark for n in fit.nodes} <= {n.mark for n in child.graph.nodes} for child in children)


def test_children_are_never_equal_to_their_parents() -> None:
    before = population([0.9, 0.8, 0.7], [0.6, 0.5, 0.4])
    parents = {part.graph for part in before.parts}
    for crossover_probability in (0.0, 1.0):
        crossing = kind(200, crossover_probability=crossover_probability)
        assert not parents & {child.graph for child in crossing.offspring(before, 0, Random(0))}


def test_a_generation_without_parents_comes_from_the_prior() -> None:
    fresh = kind(5, draw=lambda rng: minimal((0.77,)))
    assert [child.graph for child in fresh.offspring(population([None, None]), 1, Random(0))] == [minimal((0.77,))] * 4
    assert fresh.elites(population([None, None])) == []


def test_regrouping_numbers_children_founds_species_and_drops_empty_ones() -> None:
    """Species 0 (genes at 0) keeps an elite, species 1 (0.1) is left by all; a child at 0.9 founds 60."""
    before = replace(population([0.9], [0.5]), threshold=0.15)
    far, near = Part(-1, minimal((0.9,))), Part(-1, minimal((0.02,)))
    after = kind(3).regroup(before, before.parts[:1], [far, near], 4, Random(0))
    assert [(part.id, part.species, part.generation) for part in after.parts] == [(0, 0, 0), (50, 60, 4), (51, 0, 4)]
    assert [species.id for species in after.species] == [0, 60]
    assert (after.next_part, after.next_species, after.threshold) == (52, 61, 0.15)
    assert kind(3).regroup(before, before.parts[:1], [near], 4, Random(0)).threshold == 0.1
    assert after.sizes() == {0: 2, 60: 1}


def test_a_first_population_has_about_the_wanted_number_of_species() -> None:
    founded = kind(12).found(Random(2))
    assert len(founded.parts) == 12 and len(founded.species) == 2
    assert [part.id for part in founded.parts] == list(range(12))
    assert all(part.fitness is None and part.generation == 0 for part in founded.parts)


def test_credit_keeps_what_was_not_in_any_network() -> None:
    networks = [(7, (-0.5, 30.0)), (8, (-0.75, 60.0)), (9, (-0.75, 0.0))]
    after = credit(population([0.9, 0.2]), {1: networks})
    assert [(part.fitness, part.best) for part in after.parts] == [(0.9, 100), (pytest.approx(2 / 3), 8)]
    assert [part.losses for part in after.parts] == [(), (pytest.approx(-2 / 3), 30.0)]


def test_fitness_by_front_puts_domination_first_then_crowding() -> None:
    """(1, 4), (3, 3.5), (4, 1) are the first front, of which the middle is crowded; (4, 4) is behind, twice."""
    losses: list[tuple[float, ...]] = [(4.0, 4.0), (1.0, 4.0), (3.0, 3.5), (), (4.0, 1.0), (4.0, 4.0)]
    before = population([0.5] * 6)
    parts = [replace(part, losses=vector) for part, vector in zip(before.parts, losses, strict=True)]
    after = by_front(replace(before, parts=tuple(parts)))
    assert [part.fitness for part in after.parts] == [-2.0, 0.0, -1.0, None, 0.0, -2.0]
    assert by_front(after) == after


def test_mean_nodes_counts_what_is_computed() -> None:
    dead: MarkedGraph = minimal((0.1,))
    lonely = marked_graph([*dead.nodes, NodeGene(split_mark(0, 1, 1), (0.5,))], dead.links)
    parts = (Part(0, lonely, 0), Part(1, grow(3, 0, LOCI, Random(0)), 0))
    assert Population(parts, (Species(0, dead),), 0.4).figures() == {
        "species": {"0": 2},
        "threshold": 0.4,
        "mean_nodes": 2.0,
    }


def test_distances_that_measure_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match=r"strategy\.unmatched_coefficient and strategy\.gene_coefficient are both 0"):
        breeding(unmatched_coefficient=0.0, gene_coefficient=0.0)
