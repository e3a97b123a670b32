"""CoDeepNEAT: assembly, credit, species, breeding; each fault known from public code has its test."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from statistics import fmean
from typing import Any

import pytest

from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation
from evonas_cli.evolution.assembling import Batch, Coevolution, Recipe, assemble, attribute, naming, redirect
from evonas_cli.evolution.breeding import Part, Population
from evonas_cli.evolution.neat import GraphLoci, distance
from evonas_cli.evolution.speciation import Species
from evonas_cli.genomes.marked_graph import LinkGene, MarkedGraph, NodeGene, marked_graph, minimal, pointer
from evonas_cli.spaces.codeepneat import Assemblies, Assembly
from evonas_cli.strategies.codeepneat import CoDeepNeat

SPACE = Assemblies(filters=(4, 32), initial_nodes=3)
GENES = ("concat", 0.9, False, 0.01)
SIZES = ("module_population", "module_species", "blueprint_population", "blueprint_species", "assemblies")
SMALL = dict(zip(SIZES, (9, 3, 6, 1, 12), strict=True))
Loss = Callable[[Assembly, int], float | None]


def strategy(**rest: Any) -> CoDeepNeat[Assembly]:
    return CoDeepNeat(space=SPACE, **{**SMALL, **rest})


def wanted_filters(genome: Assembly, id: int) -> float:
    """A loss that modules and blueprints can lower: far from 20 filters is bad, few nodes are bad."""
    nodes = [node for _, module in genome.modules for node in module.nodes]
    return fmean(abs(int(node.genes[0]) - 20) for node in nodes) / 20 + 1 / len(genome.blueprint.nodes)


def run(
    strategy: CoDeepNeat[Assembly],
    generations: int,
    loss: Loss = wanted_filters,
    seed: int = 0,
    second: Callable[[Assembly], float] = lambda genome: 99.0,
) -> list[Coevolution]:
    states, next_id = [strategy.init(stream(seed, "init"))], 0
    for step in range(generations):
        proposals, state = strategy.ask(states[-1], stream(seed, "ask", step))
        told = []
        for id, proposal in enumerate(proposals, next_id):
            value = loss(proposal.genome, id)
            told.append(Evaluation(id, proposal.genome, None if value is None else (value, second(proposal.genome))))
        next_id += len(told)
        states.append(strategy.tell(state, told, stream(seed, "tell", step)))
    return states


def chain(*species: int) -> MarkedGraph:
    marks = range(10, 10 + len(species))
    nodes = [NodeGene(mark, (one,)) for mark, one in zip(marks, species, strict=True)]
    links = [LinkGene(a, b) for a, b in zip((0, *marks), (*marks, 1), strict=True)]
    return marked_graph(nodes, links, GENES)


def module(filters: int) -> MarkedGraph:
    return minimal((filters, 3, 0.0, 1.0, False))


def state_of(blueprints: list[MarkedGraph], species: dict[int, list[int]]) -> Coevolution:
    """Blueprints with ids from 0; modules whose id is their number of filters, by species."""
    modules = [Part(id, module(id), label) for label, ids in species.items() for id in ids]
    known = tuple([Species(label, module(ids[0])) for label, ids in species.items()])
    parts = tuple([Part(id, graph, 0) for id, graph in enumerate(blueprints)])
    return Coevolution(
        Population(tuple(modules), known, 0.3, 99, 99), Population(parts, (Species(0, blueprints[0]),), 9.0, 99, 99)
    )


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


def test_populations_keep_their_sizes_and_ids_are_never_used_again() -> None:
    seen: dict[int, MarkedGraph] = {}
    for state in run(strategy(), 10):
        assert (len(state.modules.parts), len(state.blueprints.parts)) == (9, 6)
        for part in state.modules.parts:
            assert seen.setdefault(part.id, part.graph) == part.graph


def test_the_best_of_each_species_lives_on() -> None:
    states = run(strategy(), 6)
    for before, after in zip(states[1:], states[2:], strict=False):
        kept = {part.id for part in before.modules.parts} & {part.id for part in after.modules.parts}
        assert 1 <= len(kept) <= len(before.modules.species)
    assert not {p.id for p in run(strategy(elitism=0), 2)[2].modules.parts} & {p.id for p in states[1].modules.parts}


@pytest.mark.parametrize("unused", ["keep", "force"])
def test_evolution_lowers_the_loss(unused: str) -> None:
    for seed in range(3):
        states = run(strategy(unused=unused), 15, seed=seed)
        assert fmean(states[-1].fitnesses) > fmean(states[1].fitnesses) + 0.2


def test_by_several_objectives_the_credit_is_the_mean_of_each() -> None:
    state = state_of([chain(1)], {1: [7, 8]})
    batch = Batch(0, (Recipe(0, ((1, 7),)), Recipe(0, ((1, 7),)), Recipe(0, ((1, 8),))))
    genome: Any = None
    told = [Evaluation(id, genome, losses) for id, losses in enumerate([(0.2, 10.0), (0.4, 30.0), None])]
    modules, blueprints = attribute(state, batch, told)
    assert [part.losses for part in modules.parts] == [(pytest.approx(0.3), 20.0), ()]
    assert blueprints.parts[0].losses == (pytest.approx(0.3), 20.0)


def mean_filters(states: list[Coevolution]) -> float:
    """Mean number of filters in the modules of the last population."""
    return fmean(int(node.genes[0]) for part in states[-1].modules.parts for node in part.graph.nodes)


def test_by_several_objectives_what_is_bad_at_all_of_them_is_bred_out() -> None:
    """Far from 20 filters is bad, and many filters are: small modules are kept that the first loss alone would lose."""
    assert strategy().demands.objectives == "first" and strategy(several="pareto").demands.objectives == "all"
    filters = lambda genome: float(sum(int(node.genes[0]) for _, module in genome.modules for node in module.nodes))  # noqa: E731
    first, both = (
        fmean(mean_filters(run(strategy(several=several), 12, seed=seed, second=filters)) for seed in range(3))
        for several in ("first", "pareto")
    )
    assert both < first - 2


def test_nearly_all_children_differ_from_all_of_the_generation_before() -> None:
    n_children = n_clones = 0
    states = run(strategy(), 20)
    for before, after in zip(states, states[1:], strict=False):
        old = {part.graph for part in before.modules.parts}
        children = [part for part in after.modules.parts if part.id >= before.modules.next_part]
        n_children += len(children)
        n_clones += sum(part.graph in old for part in children)
    assert n_children > 100 and n_clones <= n_children / 50


def test_children_descend_from_networks_that_succeeded() -> None:
    states = run(strategy(), 6, lambda genome, id: None if id % 3 else wanted_filters(genome, id))
    ancestors = {id for state in states for part in state.modules.parts for id in part.ancestors}
    assert ancestors and all(id % 3 == 0 for id in ancestors)


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


def test_where_everything_failed_both_populations_are_drawn_again() -> None:
    first, second = run(strategy(), 1, lambda genome, id: None)
    assert not {part.graph for part in first.modules.parts} & {part.graph for part in second.modules.parts}
    assert strategy().figures(second)["mean_fitness"] is None and strategy().figures(second)["n_failed"] == 12


def test_what_is_told_late_changes_no_population() -> None:
    states = run(strategy(), 1)
    proposals, asked = strategy().ask(states[0], Random(5))
    late = replace(states[1], pending=asked.pending)
    after = strategy().tell(late, [Evaluation(20 + n, p.genome, (0.1,)) for n, p in enumerate(proposals)], Random(0))
    assert (after.modules, after.blueprints, after.generation) == (late.modules, late.blueprints, 1)
    assert after.pending == () and after.told == tuple(range(20, 32))


def test_figures_and_population_describe_what_was_told_last() -> None:
    states = run(strategy(), 3, lambda genome, id: None if id == 30 else float(id))
    figures: Any = json.loads(json.dumps(strategy().figures(states[3])))
    assert figures["generation"] == 3 and figures["n_failed"] == 1 and figures["best_fitness"] == -24
    assert figures["mean_fitness"] == pytest.approx(-fmean(set(range(24, 36)) - {30}))
    assert sum(figures["modules"]["species"].values()) == 9 and sum(figures["blueprints"]["species"].values()) == 6
    assert figures["modules"]["threshold"] == states[3].modules.threshold and figures["modules"]["mean_nodes"] >= 1
    assert strategy().population(states[3]) == (*[id for id in range(24, 36) if id != 30], 30)


def test_both_populations_survive_the_codec() -> None:
    state = run(strategy(), 4)[-1]
    text = json.dumps(encode(state_hint(strategy()), state, SPACE.to_json))
    assert decode(state_hint(strategy()), json.loads(text), SPACE.from_json) == state


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("module_population", 1),
        ("blueprint_population", 1),
        ("module_species", 10),
        ("module_species", 0),
        ("blueprint_species", 7),
        ("assemblies", 5),
        ("assemblies", 0),
        ("allow_unassembled", 1),
        ("unused", "drop"),
        ("several", "all"),
        ("elitism", 6),
        ("elitism", -1),
        ("survival_fraction", 0.0),
        ("survival_fraction", 1.1),
        ("crossover_probability", 1.1),
        ("add_node_probability", -0.1),
        ("add_link_probability", float("nan")),
        ("gene_probability", 2),
        ("switch_probability", -1),
        ("gene_scale", 0.0),
        ("unmatched_coefficient", -1.0),
        ("gene_coefficient", float("inf")),
        ("threshold", 0.05),
    ],
)
def test_settings_out_of_range_are_refused(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.{key}") as caught:
        strategy(**{key: value})
    assert "\n" not in str(caught.value)


def test_fewer_assemblies_than_blueprints_may_be_allowed() -> None:
    assert len(strategy(assemblies=4, allow_unassembled=True).ask(run(strategy(), 0)[0], Random(0))[0]) == 4
