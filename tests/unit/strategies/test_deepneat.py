"""DeepNEAT: generations of single modules, elites that are not measured again, species and refusals."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from statistics import fmean
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.genomes.assembly import Assembly
from evonas_cli.spaces.codeepneat import Assemblies
from evonas_cli.strategies.deepneat import DeepNeat, Networks

SPACE = Assemblies(filters=(4, 32), initial_nodes=3)


def strategy(**rest: Any) -> DeepNeat[Assembly]:
    return DeepNeat(space=SPACE, **{"population_size": 12, "species": 3, **rest})


def loss(genome: Assembly) -> float:
    """Few nodes are bad, and filters far from 20."""
    [(_, module)] = genome.modules
    return fmean(abs(int(node.genes[0]) - 20) for node in module.nodes) / 20 + 1 / len(module.nodes)


def run(
    strategy: DeepNeat[Assembly], generations: int, seed: int = 0, succeeds: Any = lambda id: True
) -> tuple[Any, list[Networks]]:
    asked: list[list[Proposal[Assembly]]] = []
    states, next_id = [strategy.init(stream(seed, "init"))], 0
    for step in range(generations):
        proposals, state = strategy.ask(states[-1], stream(seed, "ask", step))
        told = [
            Evaluation(id, proposal.genome, (loss(proposal.genome),) if succeeds(id) else None)
            for id, proposal in enumerate(proposals, next_id)
        ]
        next_id += len(told)
        asked.append(proposals)
        states.append(strategy.tell(state, told, stream(seed, "tell", step)))
    return asked, states


def test_a_network_is_one_module_with_its_global_genes() -> None:
    [proposals], [_, state] = run(strategy(), 1)
    for proposal, part in zip(proposals, state.population.parts, strict=True):
        assert len(proposal.genome.blueprint.nodes) == len(proposal.genome.modules) == 1
        assert proposal.genome.blueprint.genes == part.graph.genes
        assert proposal.genome.modules[0][1].nodes == part.graph.nodes
        assert SPACE.from_json(SPACE.to_json(proposal.genome)) == proposal.genome


def test_elites_live_on_without_being_measured_again() -> None:
    asked, states = run(strategy(), 8)
    assert len(asked[0]) == 12
    for before, after, proposals in zip(states[1:], states[2:], asked[1:], strict=False):
        best = max(before.population.parts, key=lambda part: part.fitness or -99.0)
        assert best.id in {part.id for part in after.population.parts}
        kept = {part.id for part in before.population.parts} & {part.id for part in after.population.parts}
        assert len(kept) + len(proposals) == len(after.population.parts) == 12
        assert 1 <= len(kept) <= len(before.population.species)
        assert strategy().population(after)[: len(kept)] == tuple(p.best for p in after.population.parts[: len(kept)])


@pytest.mark.parametrize("threshold", [0.1, 5.0])
def test_the_first_population_has_about_the_wanted_number_of_species(threshold: float) -> None:
    for seed in range(5):
        _, [_, state] = run(strategy(threshold=threshold), 1, seed)
        assert 2 <= len(state.population.species) <= 4


def test_evolution_lowers_the_loss() -> None:
    for seed in range(3):
        asked, states = run(strategy(), 12, seed)
        means = [fmean(loss(proposal.genome) for proposal in proposals) for proposals in asked]
        assert means[-1] < means[0] - 0.2
        best = [strategy().figures(state)["best_fitness"] for state in states[1:]]
        assert best == sorted(best)  # type: ignore[type-var]


def test_children_differ_from_their_parents_and_say_how_they_were_made() -> None:
    asked, states = run(strategy(), 10)
    operators = {proposal.operator for proposals in asked for proposal in proposals}
    assert operators == {"sample", "mutation", "crossover+mutation"}
    for before, proposals in zip(states[1:-1], asked[1:], strict=True):
        parents = {part.best: part.graph for part in before.population.parts}
        for proposal in proposals:
            for id in proposal.parents:
                assert proposal.genome.modules[0][1].nodes != parents[id].nodes or (
                    proposal.genome.blueprint.genes != parents[id].genes
                    or proposal.genome.modules[0][1].links != parents[id].links
                )


def test_failures_are_no_parents_and_where_all_fail_the_prior_is_drawn_from() -> None:
    asked, _ = run(strategy(), 5, succeeds=lambda id: id % 3 == 0)
    assert {id % 3 for proposals in asked for proposal in proposals for id in proposal.parents} == {0}
    asked, states = run(strategy(), 3, succeeds=lambda id: False)
    assert all(proposal.operator == "sample" for proposals in asked for proposal in proposals)
    figures: Any = strategy().figures(states[0])
    assert figures["mean_fitness"] is None and figures["networks"]["species"] == {}


def test_a_generation_asked_early_breeds_from_what_is_told() -> None:
    early = strategy()
    _, [_, state] = run(early, 1)
    first, state = early.ask(state, Random(1))
    second, state = early.ask(state, Random(2))
    assert len(state.pending) == 2 and first != second
    for start, proposals in ((12, first), (30, second)):
        told = [Evaluation(id, p.genome, (loss(p.genome),)) for id, p in enumerate(proposals, start)]
        state = early.tell(state, told, Random(start))
        assert len(state.population.parts) <= 12
    assert state.pending == () and state.generation == 3


def test_children_told_beside_more_elites_than_expected_leave_no_room_for_the_last() -> None:
    _, [start, state] = run(strategy(), 1)
    twelve, _ = strategy().ask(start, Random(0))
    _, asked = strategy().ask(start, Random(0))
    early = replace(state, pending=asked.pending)
    told = [Evaluation(id, proposal.genome, (9.0,)) for id, proposal in enumerate(twelve, 12)]
    after = strategy().tell(early, told, Random(0))
    n_elites = sum(part.best is not None and part.best < 12 for part in after.population.parts)
    assert n_elites >= 1 and len(after.population.parts) == 12
    assert strategy().population(after)[n_elites:] == tuple(range(12, 24 - n_elites))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("population_size", 1),
        ("species", 13),
        ("species", 0),
        ("elitism", 12),
        ("elitism", -1),
        ("survival_fraction", 0),
        ("crossover_probability", 1.5),
        ("add_node_probability", -0.1),
        ("add_link_probability", 1.1),
        ("gene_probability", -1),
        ("gene_scale", 0),
        ("threshold", 0),
    ],
)
def test_settings_out_of_range_are_refused(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.{key}") as caught:
        strategy(**{key: value})
    assert "\n" not in str(caught.value)
