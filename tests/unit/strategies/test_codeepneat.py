"""CoDeepNEAT: breeding, objectives, what is told late, settings; each fault of public code has its test."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from statistics import fmean
from typing import Any

import pytest
from codeepneat_runs import SPACE, chain, run, state_of, strategy, wanted_filters

from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation
from evonas_cli.evolution.assembling import Batch, Coevolution, Recipe, attribute
from evonas_cli.genomes.marked_graph import MarkedGraph


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
