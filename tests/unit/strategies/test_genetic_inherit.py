"""Measuring elites again, and the three readings of inherited training: none, weights, schedule."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from generational import SPACE, alive, genetic, observe, run

from evonas_cli.core.types import Evaluation
from evonas_cli.evolution.generations import Birth


def test_elites_are_not_measured_again_by_default() -> None:
    steps, states = run(genetic(population_size=6, elitism=2), 5, lambda id, genome: float(id))
    assert [len(step) for step in steps] == [6, 4, 4, 4, 4]
    assert not any(p.operator == "elite" for step in steps for p in step)
    assert [i.id for i in states[4].individuals][:2] == [0, 1]


def test_remeasured_elites_are_proposed_again_and_the_newest_measurement_counts() -> None:
    strategy = genetic(population_size=4, elitism=2, remeasure=True)
    losses = [0.1, 0.2, 0.3, 0.4, 0.9, 0.15, 0.5, 0.6]
    steps, states = run(strategy, 2, lambda id, genome: losses[id])
    assert [(p.operator, p.parents) for p in steps[1][:2]] == [("elite", (0,)), ("elite", (1,))]
    assert [p.genome for p in steps[1][:2]] == [p.genome for p in steps[0][:2]]
    assert len(steps[1]) == 4
    assert strategy.population(states[1]) == (5, 6, 7, 4)
    assert [i.age for i in states[1].individuals] == [1, 0, 0, 1]
    assert (states[1].best_id, states[1].best_loss, states[1].stale) == (0, 0.1, 1)


def test_a_remeasured_elite_keeps_to_its_lifespan() -> None:
    strategy = genetic(population_size=4, elitism=1, remeasure=True, lifespan=3)
    best = SPACE.sample(Random(99))
    state = alive([-1.0, 0.0, 0.0, 0.0])
    state = replace(state, individuals=(replace(state.individuals[0], genome=best), *state.individuals[1:]))
    seen = 1
    for step in range(4):
        proposals, state = strategy.ask(state, Random(step))
        told = [Evaluation(10 * step + n, p.genome, (-float(p.genome == best),)) for n, p in enumerate(proposals, 10)]
        state = strategy.tell(state, told, Random(step))
        seen += sum(p.operator == "elite" and p.genome == best for p in proposals)
    assert seen == 3


@pytest.mark.parametrize("settings", [{"remeasure": True}, {"inherit": "weights"}])
def test_the_whole_population_is_evaluated_in_every_generation(settings: dict[str, object]) -> None:
    steps, states = run(genetic(population_size=6, elitism=2, **settings), 6, observe(0, 0.05))
    assert [len(step) for step in steps] == [6] * 6
    populations = [{individual.id for individual in state.individuals} for state in states]
    assert populations == [set(range(6 * n, 6 * n + 6)) for n in range(6)]


def test_without_inheritance_nobody_continues() -> None:
    steps, _ = run(genetic(population_size=6), 5, observe(0, 0.0))
    assert {(p.continues, p.options, p.fidelity) for step in steps for p in step} == {(None, None, 1.0)}


def test_weights_come_from_the_best_so_far() -> None:
    strategy = genetic(population_size=4, elitism=1, inherit="weights")
    losses = [0.5, 0.2, None, 0.4, 0.9, 0.8, 0.7, 0.6, 0.1, 0.3, None, 0.3, 0.9, 0.9, 0.9, 0.9]
    steps, states = run(strategy, 4, lambda id, genome: losses[id])
    assert {(p.continues, p.options) for p in steps[0]} == {(None, None)}
    starts = [{(p.continues, p.options["start"], p.fidelity) for p in step} for step in steps[1:]]  # type: ignore[index, call-overload]
    assert starts == [{(1, "weights", 1.0)}, {(1, "weights", 1.0)}, {(8, "weights", 1.0)}]
    assert steps[1][0].operator == "elite" and steps[1][0].genome == steps[0][1].genome
    assert [state.best_id for state in states] == [1, 1, 8, 8]


def test_weights_survive_a_generation_of_failures() -> None:
    steps, _ = run(genetic(population_size=4, inherit="weights"), 3, lambda id, g: None if 4 <= id < 8 else float(id))
    assert {p.operator for p in steps[2]} == {"sample"}
    assert {p.continues for p in steps[2]} == {0}
    failing, _ = run(genetic(population_size=4, inherit="weights"), 3, lambda id, genome: None)
    assert {p.continues for step in failing for p in step} == {None}


def test_a_schedule_by_hand() -> None:
    strategy = genetic(
        population_size=5, inherit="schedule", generations=3, exploit_fraction=0.4, mutation_probability=1.0
    )
    losses = [0.5, 0.1, 0.9, 0.2, None]
    steps, states = run(strategy, 2, lambda id, genome: losses[id % 5])
    assert [{p.fidelity for p in step} for step in steps] == [{1 / 3}, {2 / 3}]
    assert strategy.population(states[0]) == (1, 3, 0, 2, 4)
    best, second, middle, worse, worst = steps[1]
    for proposal, own in ((best, 1), (second, 3), (middle, 0)):
        assert (proposal.operator, proposal.continues, proposal.parents) == ("train_on", own, (own,))
        assert proposal.genome == steps[0][own].genome
    for proposal in (worse, worst):
        assert proposal.operator == "exploit+mutation"
        assert proposal.continues in (1, 3) and proposal.parents == (proposal.continues,)
        assert all(a != b for a, b in zip(proposal.genome, steps[0][proposal.continues].genome, strict=True))
    assert sorted(i.age for i in states[1].individuals) == [0, 0, 1, 1, 1]


def test_a_schedule_ends_with_the_whole_training_and_lineage_leads_back_to_a_sample() -> None:
    strategy = genetic(population_size=6, inherit="schedule", generations=4)
    steps, _ = run(strategy, 9, lambda id, genome: None if id % 5 == 3 else -float(genome.count(1)))
    assert [{p.fidelity for p in step} for step in steps] == [{0.25}, {0.5}, {0.75}, {1.0}]
    proposals = [p for step in steps for p in step]
    for id in range(len(proposals)):
        chain = [id]
        while (before := proposals[chain[-1]].continues) is not None:
            chain.append(before)
        assert [id // 6 for id in chain] == list(range(id // 6, -1, -1))
        assert proposals[chain[-1]].operator == "sample"
        assert not any(member % 5 == 3 for member in chain[1:])
    assert {p.operator for p in proposals[6:]} <= {"train_on", "exploit", "exploit+mutation"}


def test_a_schedule_begins_again_where_everybody_failed() -> None:
    strategy = genetic(population_size=4, inherit="schedule", generations=3)
    steps, _ = run(strategy, 3, lambda id, genome: None if id < 4 else float(id))
    assert {(p.operator, p.continues, p.fidelity) for p in steps[1]} == {("sample", None, 2 / 3)}
    assert {p.operator for p in steps[2]} >= {"train_on"}


def test_a_mutated_copy_beats_what_training_on_alone_finds() -> None:
    """Losses are those of the present genome: copying and perturbing the best is all that improves it."""
    settings = {"population_size": 10, "inherit": "schedule", "generations": 40}
    _, states = run(genetic(**settings), 40, observe(2, 0.0))
    assert (states[-1].best_loss or 0.0) < (states[0].best_loss or 0.0) - 0.05


def test_births_of_the_schedule_are_never_known() -> None:
    _, state = genetic(inherit="weights").ask(alive([0.1, 0.2]), Random(0))
    assert state.pending and all(isinstance(birth, Birth) and not birth.known for birth in state.pending[0])
