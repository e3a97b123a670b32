"""Genetic programming in species: places, elites, the archive of what was explored, and what is refused."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.evolution.explored import Explored, form_of, region_of, visited
from evonas_cli.network.trees import Tree, parsed
from evonas_cli.spaces.bits import Bits
from evonas_cli.spaces.gp_cell import GpCell
from evonas_cli.strategies.genetic_programming import GeneticProgramming, Member, Population

SPACE = GpCell()
WORDS = "linear_tanh(x, h)", "linear_relu(x, h)", "linear_sigmoid(x, h)", "linear(x, h)"


def strategy(**settings: Any) -> GeneticProgramming[Tree]:
    return GeneticProgramming(**({"space": SPACE, "population_size": 8, "species": 3} | settings))


def told(proposals: list[Proposal[Tree]], first: int, loss: Any) -> list[Evaluation[Tree]]:
    found = []
    for id, proposal in enumerate(proposals, first):
        assert proposal.genome is not None
        found.append(Evaluation(id, proposal.genome, loss(proposal.genome)))
    return found


def living(*members: tuple[float, int]) -> Population[Tree]:
    """Members with these losses and species."""
    trees = [parsed(WORDS[id % len(WORDS)]) for id in range(len(members))]
    made = [Member(id, tree, *member) for id, (tree, member) in enumerate(zip(trees, members, strict=True))]
    return Population(tuple(made), 0.3, next_species=10)


def evolved(made: GeneticProgramming[Tree], loss: Any, steps: int) -> tuple[list[list[Proposal[Tree]]], list[Any]]:
    """Proposals and the states after each tell."""
    state, asked, states, next_id = made.init(Random(0)), [], [], 0
    for step in range(steps):
        proposals, state = made.ask(state, Random(step))
        state = made.tell(state, told(proposals, next_id, loss), Random(step))
        next_id += len(proposals)
        asked.append(proposals)
        states.append(state)
    return asked, states


def size(tree: Tree) -> tuple[float, ...]:
    return (float(tree.size),)


def test_it_begins_with_different_samples_and_keeps_its_size() -> None:
    asked, states = evolved(strategy(), size, 6)
    assert len(asked[0]) == 8 and {proposal.operator for proposal in asked[0]} == {"sample"}
    assert [len(state.members) for state in states] == [8] * 6
    assert all(0 < len(proposals) < 8 for proposals in asked[1:])


def test_nothing_is_proposed_twice_and_the_best_stays() -> None:
    asked, states = evolved(strategy(), lambda tree: (abs(tree.size - 40.0),), 12)
    forms = [SPACE.function_key(proposal.genome) for batch in asked for proposal in batch if proposal.genome]
    assert len(set(forms)) == len(forms) == len(states[-1].explored.forms)
    best = [min(member.loss for member in state.members) for state in states]
    assert best == sorted(best, reverse=True) and best[-1] < best[0]


def test_without_redraws_forms_repeat_and_are_counted() -> None:
    _, states = evolved(strategy(redraws=0, visits=None), size, 12)
    explored = states[-1].explored
    assert explored.known > 0 and explored.redrawn == 0
    assert sum(explored.forms.values()) == sum(region.visits for region in explored.regions)
    assert sum(explored.forms.values()) - len(explored.forms) == explored.known


def test_a_full_region_is_left() -> None:
    """All of the space lies within a distance of 1.5, so that with 8 visits every later child is explored."""
    made = strategy(radius=1.5, visits=8, redraws=2)
    asked, states = evolved(made, size, 2)
    assert len(states[0].explored.regions) == 1 and states[0].explored.known == 0
    assert states[1].explored.known == len(asked[1]) and states[1].explored.redrawn >= 2 * len(asked[1])


def test_places_follow_the_mean_rank_of_a_species() -> None:
    """Ranks from the worst: 1 and 2 in species 1 (mean 1.5), 3 and 4 in species 0 (mean 3.5): of 10 places 3 and 7."""
    state = living((0.1, 0), (0.2, 0), (0.3, 1), (0.4, 1))
    assert strategy(population_size=10)._places(state) == {0: (1, 6), 1: (1, 2)}
    assert strategy(population_size=10, elitism=5)._places(state) == {0: (2, 5), 1: (2, 1)}
    assert strategy(population_size=10, elitism=0)._places(state) == {0: (0, 7), 1: (0, 3)}


def test_a_generation_has_a_child_at_least() -> None:
    state = living((0.1, 0), (0.2, 1))
    places = strategy(population_size=2, species=1)._places(state)
    assert sum(children for _, children in places.values()) == 1


def test_parents_are_the_best_of_their_own_species() -> None:
    state = living((0.1, 0), (0.4, 0), (0.2, 1), (0.3, 1))
    proposals, _ = strategy(population_size=12, crossover_probability=1.0).ask(state, Random(0))
    assert {parent for proposal in proposals for parent in proposal.parents} == {0, 2}
    proposals, _ = strategy(population_size=12, survival_fraction=1.0, crossover_probability=1.0).ask(state, Random(0))
    families = {tuple(sorted(proposal.parents)) for proposal in proposals}
    assert families <= {(0, 1), (2, 3)} and len(families) == 2


def test_what_fails_is_no_member_and_samples_come_where_none_is_left() -> None:
    made = strategy()
    proposals, state = made.ask(made.init(Random(0)), Random(0))
    state = made.tell(state, told(proposals, 0, lambda genome: None), Random(0))
    assert made.population(state) == () and made.figures(state)["best"] is None
    again, _ = made.ask(state, Random(1))
    assert len(again) == 8 and {proposal.operator for proposal in again} == {"sample"}


def test_figures() -> None:
    made = strategy()
    _, states = evolved(made, size, 3)
    figures = made.figures(states[-1])
    sizes = figures["species"]
    assert isinstance(sizes, dict) and sum(int(str(size)) for size in sizes.values()) == 8
    assert figures["best_sizes"] == {"nodes": figures["best"], "depth": 1, "memories": 0}


def test_regions_are_balls_around_their_first_genome() -> None:
    def apart(first: float, second: float) -> float:
        return abs(first - second)

    explored: Explored[float] = Explored()
    for number in (0.0, 0.9, 1.5, -0.9, 0.5):
        explored = visited(explored, number, str(number), region_of(explored, number, 1.0, apart))
    assert [(region.centre, region.visits) for region in explored.regions] == [(0.0, 4), (1.5, 1)]
    assert region_of(explored, 3.0, 1.0, apart) is None


def test_forms_are_canonical_where_the_space_knows_them() -> None:
    first, second = parsed("linear(x, h)"), parsed("linear(h, x)")
    assert form_of(SPACE, first) == form_of(SPACE, second)
    assert form_of(Bits(2), (0, 1)) == "[0, 1]"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"population_size": 1}, "strategy.population_size must be a whole number of at least 2; it is 1"),
        ({"species": 9}, "strategy.species=9 is more than strategy.population_size=8"),
        ({"threshold": 0}, "strategy.threshold must be a number in"),
        ({"elitism": -1}, "strategy.elitism must be a whole number of at least 0"),
        ({"survival_fraction": 0}, "strategy.survival_fraction"),
        ({"crossover_probability": 1.5}, r"strategy.crossover_probability must be a number in \[0, 1\]; it is 1.5"),
        ({"mutation_probability": True}, "strategy.mutation_probability"),
        ({"radius": 0}, "strategy.radius"),
        ({"visits": 0}, "strategy.visits must be a whole number of at least 1 or null"),
        ({"redraws": -1}, "strategy.redraws"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(settings: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as raised:
        strategy(**settings)
    assert "\n" not in str(raised.value)
