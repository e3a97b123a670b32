"""CoDeepNEAT: assembly, credit and species; each fault known from public code has its test."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from codeepneat_runs import GENES, SMALL, SPACE, chain, module, run, state_of, strategy

from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation
from evonas_cli.evolution.assembling import Batch, Recipe, assemble, attribute, naming, redirect
from evonas_cli.evolution.neat import GraphLoci, distance
from evonas_cli.evolution.speciation import Species
from evonas_cli.genomes.marked_graph import LinkGene, NodeGene, marked_graph, pointer
from evonas_cli.strategies.codeepneat import CoDeepNeat


def test_the_published_example_of_credit() -> None:
    """in > S1 > S2 > out and S1 > out, with m7 and m3: 0.91 goes to the blueprint, to m7 once, and to m3."""
    blueprint = marked_graph(
        [NodeGene(10, (1,)), NodeGene(11, (2,)), NodeGene(12, (1,))],
        [LinkGene(0, 10), LinkGene(10, 11), LinkGene(11, 1), LinkGene(10, 1), LinkGene(0, 12), LinkGene(12, 1)],
        GENES,
    )
    state = state_of([blueprint], {1: [7, 8], 2: [3, 4]})
    batch = Batch(0, (Recipe(0, ((1, 7), (2, 3))), Recipe(0, ((1, 7), (2, 4))), Recipe(0, ((1, 8), (2, 3)))))
    genome: Any = None
    told = [Evaluation(0, genome, (-0.91,)), Evaluation(1, genome, None), Evaluation(2, genome, None)]
    modules, blueprints = attribute(state, batch, told)
    assert {part.id: part.fitness for part in modules.parts} == {7: 0.91, 8: None, 3: 0.91, 4: None}
    assert [part.fitness for part in blueprints.parts] == [0.91]


def test_fitness_is_the_mean_over_networks_and_failures_blame_nobody() -> None:
    """Module 7 is in three networks, of which one failed, 8 in one: neither mean knows how often the other was used."""
    state = state_of([chain(1)], {1: [7, 8]})
    recipes = tuple([Recipe(0, ((1, id),)) for id in (7, 7, 7, 8)])
    genome: Any = None
    told = [Evaluation(id, genome, loss) for id, loss in enumerate(((-0.5,), None, (-0.7,), (-0.9,)))]
    modules, blueprints = attribute(state, Batch(0, recipes), told)
    assert [part.fitness for part in modules.parts] == [pytest.approx(0.6), 0.9]
    assert [part.best for part in modules.parts] == [2, 3]
    assert blueprints.parts[0].fitness == pytest.approx(0.7)


def test_credit_is_that_of_this_generation_alone() -> None:
    """Usage counters that are never reset would mix generations; an elite's fitness is its last mean."""
    states = run(strategy(), 2, lambda genome, id: 1.0 if id < 12 else 3.0)
    proposals, state = strategy().ask(states[1], stream(0, "ask", 1))
    old = {part.id for part in states[0].modules.parts} & {part.id for part in states[1].modules.parts}
    told = [Evaluation(id, proposal.genome, (3.0,)) for id, proposal in enumerate(proposals, 12)]
    modules, _ = attribute(state, state.pending[0], told)
    used = {id for recipe in state.pending[0].recipes for _, id in recipe.modules}
    assert old & used
    assert all(part.fitness == (-3.0 if part.id in used else -1.0) for part in modules.parts if part.id in old)


def test_modules_that_are_not_in_the_network_get_no_credit() -> None:
    """The blueprint's second node has lost its input."""
    dead = marked_graph(
        [NodeGene(10, (1,)), NodeGene(11, (2,))],
        [LinkGene(0, 10), LinkGene(10, 1), LinkGene(0, 11, False), LinkGene(11, 1)],
        GENES,
    )
    genome: Any = None
    told = [Evaluation(0, genome, (-0.5,))]
    modules, _ = attribute(state_of([dead], {1: [7], 2: [3]}), Batch(0, (Recipe(0, ((1, 7), (2, 3))),)), told)
    assert [part.fitness for part in modules.parts] == [0.5, None]


def test_every_blueprint_is_assembled_and_modules_are_drawn_uniformly() -> None:
    state = state_of([chain(1, 1), chain(1, 2), chain(2)], {1: [7, 8, 9], 2: [3, 4]})
    recipes = assemble(state, 3000, Random(1))
    assert Counter(recipe.blueprint for recipe in recipes) == {0: 1000, 1: 1000, 2: 1000}
    assert {tuple(species for species, _ in recipe.modules) for recipe in recipes} == {(1,), (1, 2), (2,)}
    uses = Counter(id for recipe in recipes for _, id in recipe.modules)
    assert all(590 < uses[id] < 745 for id in (7, 8, 9)) and all(930 < uses[id] < 1070 for id in (3, 4))
    assert {recipe.blueprint for recipe in assemble(state, 3, Random(2))} == {0, 1, 2}


def test_equal_pointers_of_a_network_get_the_same_module() -> None:
    proposals, _ = strategy().ask(state_of([chain(1, 2, 1)] * 6, {1: [7, 8, 9], 2: [13, 14]}), Random(0))
    for proposal in proposals:
        assert [species for species, _ in proposal.genome.modules] == [1, 2]
    assert len({proposal.genome for proposal in proposals}) > 3


def test_pointers_to_a_species_that_died_move_to_the_nearest() -> None:
    before = [Species(1, module(5)), Species(2, module(11)), Species(3, module(30))]
    now = [Species(2, module(12)), Species(3, module(31)), Species(4, module(6))]
    state = state_of([chain(1, 2), chain(3, 3)], {1: [5], 2: [11], 3: [30]})
    loci = GraphLoci(SPACE.node_loci)
    moved = redirect(state.blueprints, before, now, lambda a, b: distance(a, b, loci, 3.0, 3.0))
    assert [[pointer(node) for node in part.graph.nodes] for part in moved.parts] == [[4, 2], [3, 3]]
    assert [part.graph.links for part in moved.parts] == [part.graph.links for part in state.blueprints.parts]


def test_blueprints_point_to_living_species_only_though_species_die() -> None:
    died = 0
    for seed in range(6):
        states = run(strategy(), 12, seed=seed)
        for before, after in zip(states, states[1:], strict=False):
            living = {species.id for species in after.modules.species}
            died += len({species.id for species in before.modules.species} - living)
            assert {pointer(node) for part in after.blueprints.parts for node in part.graph.nodes} <= living
            assert {part.species for part in after.modules.parts} == living
    assert died > 3


def test_parts_that_were_never_used_may_wait_for_the_next_generation() -> None:
    """Of three modules at least one stays unused in a generation of two networks."""
    settings = {**SMALL, "module_population": 3, "module_species": 1, "blueprint_population": 2, "assemblies": 2}
    forced = CoDeepNeat(space=SPACE, **settings, unused="force", elitism=0)
    state = state_of([chain(1), chain(1)], {1: [7, 8, 9]})
    proposals, asked = forced.ask(state, Random(0))
    used = {id for recipe in asked.pending[0].recipes for _, id in recipe.modules}
    told = [Evaluation(id, proposal.genome, (0.5,)) for id, proposal in enumerate(proposals)]
    after = forced.tell(asked, told, Random(0))
    waiting = {7, 8, 9} - used
    assert waiting and waiting == {7, 8, 9} & {part.id for part in after.modules.parts}
    kept = replace(forced, unused="keep").tell(asked, told, Random(0))
    assert not {7, 8, 9} & {part.id for part in kept.modules.parts}


def test_parts_that_wait_are_drawn_first_and_once() -> None:
    state = replace(state_of([chain(1)], {1: [5, 6, 7, 8]}), generation=1)
    parts = tuple([replace(part, fitness=0.1 if part.id < 7 else None) for part in state.modules.parts])
    state = replace(state, modules=replace(state.modules, parts=parts))
    drawn = [[recipe.modules[0][1] for recipe in assemble(state, 3, Random(seed))] for seed in range(40)]
    assert all(set(ids[:2]) == {7, 8} for ids in drawn) and {ids[2] for ids in drawn} == {5, 6}


def test_no_network_is_assembled_twice_while_another_could_be_and_modules_take_turns() -> None:
    state = state_of([chain(1), chain(1, 2), chain(2)], {1: [5, 6, 7, 8], 2: [3, 4]})
    for seed in range(20):
        recipes = assemble(state, 6, Random(seed))
        assert len(set(recipes)) == 6
        uses = Counter(id for recipe in recipes for _, id in recipe.modules)
        assert all(uses[id] == 1 for id in (5, 6, 7, 8)) and all(uses[id] == 2 for id in (3, 4))
    assert Counter(assemble(state_of([chain(2)], {2: [3, 4]}), 4, Random(0))) == {
        Recipe(0, ((2, 3),)): 2,
        Recipe(0, ((2, 4),)): 2,
    }


def test_a_new_species_is_named_by_a_child_and_no_other_loses_its_name() -> None:
    """Else its modules would be in no network and die out untried, though species are there to protect what is new."""
    state = state_of([chain(1, 1), chain(1, 2), chain(1, 1)], {1: [5], 2: [11], 3: [30], 4: [20]})
    newer = tuple([replace(part, generation=part.id > 0) for part in state.blueprints.parts])
    blueprints = replace(state.blueprints, parts=newer)
    for seed in range(10):
        named = naming(blueprints, state.modules, 1, Random(seed))
        assert {pointer(node) for part in named.parts for node in part.graph.nodes} == {1, 2, 3, 4}
        assert named.parts[0] == blueprints.parts[0]
    few = naming(state_of([chain(1)], {1: [5], 2: [11]}).blueprints, state.modules, 0, Random(0))
    assert [pointer(node) for node in few.parts[0].graph.nodes] == [1]


def test_in_a_run_nearly_every_species_is_named() -> None:
    states = [state for seed in range(4) for state in run(strategy(), 10, seed=seed)]
    unnamed = [
        species.id
        for state in states
        for species in state.modules.species
        if species.id not in {pointer(node) for part in state.blueprints.parts for node in part.graph.nodes}
    ]
    assert len(unnamed) <= len(states) / 20
