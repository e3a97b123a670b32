"""Backprop NEAT: clusters, parents by their loss, extinction, the hall of fame, inherited weights."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from trained import Trained

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, Objective, Proposal
from evonas_cli.strategies.backprop_neat import BackpropNeat, Member, Pool

Genome = tuple[int, float]


def strategy(**settings: Any) -> BackpropNeat[Genome]:
    return BackpropNeat(space=Trained(), **{"population_size": 20, "clusters": 2, **settings})


def pool(*groups: list[tuple[int, float]], hall: tuple[Member[Genome], ...] = ()) -> Pool[Genome]:
    """Clusters of (structure, loss), the best first in each and over all; ids count through them."""
    members, clusters = [], []
    for group in groups:
        clusters.append(tuple(range(len(members), len(members) + len(group))))
        members += [Member(len(members) + n, (one, 0.5), loss) for n, (one, loss) in enumerate(group)]
    return Pool(tuple(members), tuple(clusters), hall, 3)


def tell(asked: list[Proposal[Genome]], first: int, losses: Any, payload: Any = None) -> list[Evaluation[Genome]]:
    return [
        Evaluation(id, proposal.genome, None if losses(id) is None else (losses(id),), payload)
        for id, proposal in enumerate(asked, first)
    ]


def test_generation_0_is_sampled_and_put_into_clusters() -> None:
    neat = strategy()
    asked, state = neat.ask(neat.init(Random(0)), Random(1))
    assert len(asked) == 20 and {one.operator for one in asked} == {"sample"}
    state = neat.tell(state, tell(asked, 0, lambda id: 1.0 - id / 100), Random(2))
    assert neat.population(state) == tuple(range(19, -1, -1)) and state.pending == ()
    assert [member.id for member in state.hall] == [19, 18, 17, 16, 15]
    assert sorted(place for cluster in state.clusters for place in cluster) == list(range(20))
    low, high = sorted(state.clusters, key=lambda cluster: min(state.members[place].genome[0] for place in cluster))
    assert max(state.members[place].genome[0] for place in low) < min(state.members[place].genome[0] for place in high)
    assert state.clusters[0][0] == 0, "the cluster of the best comes first"


def test_trained_weights_are_inherited_and_what_computes_nothing_is_pruned() -> None:
    neat = strategy(population_size=2)
    _, state = neat.ask(neat.init(Random(0)), Random(1))
    told = [Evaluation(0, (-7, 0.0), (0.3,), {"weight": 4.25}), Evaluation(1, (8, 1.5), (0.4,), None)]
    state = neat.tell(state, told, Random(2))
    assert [member.genome for member in state.members] == [(7, 4.25), (8, 1.5)]
    children, _ = neat.ask(state, Random(3))
    assert {child.genome for child in children if child.operator == "train_on"} == {(7, 4.25), (8, 1.5)}


def test_each_cluster_has_as_many_children_and_its_best_is_trained_on() -> None:
    state = pool([(1, 0.1), (2, 0.2)], [(50, 0.3), (51, 0.4), (52, 0.5)])
    asked, after = strategy(extinction_probability=0.0).ask(state, Random(0))
    children, kept = asked[:20], asked[20:]
    assert Counter(set(child.parents) <= {0, 1} for child in children) == {True: 10, False: 10}
    assert all(set(child.parents) <= {2, 3, 4} for child in children if not set(child.parents) <= {0, 1})
    assert [(one.parents, one.genome, one.operator) for one in kept] == [
        ((0,), (1, 0.5), "train_on"),
        ((2,), (50, 0.5), "train_on"),
    ]
    assert after.pending == ((*[None] * 20, 0, 2),)


def test_the_worst_cluster_dies_with_its_probability_and_the_best_breeds_in_its_place() -> None:
    """The worst is the one whose best is worst; it is the last."""
    state = pool([(1, 0.1)], [(50, 0.2)], [(90, 0.3)])
    neat, deaths = strategy(clusters=3, population_size=30), 0
    for seed in range(200):
        asked, _ = neat.ask(state, Random(seed))
        families = Counter(one.parents for one in asked if one.operator != "train_on")
        deaths += families == {(0,): 20, (1,): 10}
        assert families in ({(0,): 20, (1,): 10}, {(0,): 10, (1,): 10, (2,): 10})
        trained_on = {one.parents for one in asked if one.operator == "train_on"}
        assert trained_on == ({(0,), (1,)} if len(families) == 2 else {(0,), (1,), (2,)})
    assert 75 < deaths < 125


def test_parents_are_drawn_by_the_inverse_of_their_loss() -> None:
    """Losses 0.09 and 0.29 with a slack of 0.01 are drawn 3 to 1, so both parents are the first in 9 of 16."""
    state = pool([(1, 0.09), (2, 0.29)])
    asked, _ = strategy(clusters=1, population_size=3200).ask(state, Random(0))
    counts = Counter(child.parents for child in asked if child.operator != "train_on")
    assert 1700 < counts[0,] < 1900 and 150 < counts[1,] < 250
    assert counts[0,] + counts[1,] + counts[0, 1] + counts[1, 0] == 3200


def test_the_hall_of_fame_holds_the_best_ever_and_each_lineage_once() -> None:
    neat = strategy(population_size=2, hall_of_fame=2, clusters=1)
    hall = (Member(7, (1, 0.0), 0.1), Member(8, (2, 0.0), 0.2))
    state = replace(pool([(5, 0.5)], hall=hall), pending=((None, None, 7, 8),))
    proposals, losses = [Proposal((n, 0.0)) for n in range(4)], [0.3, 0.4, 0.05, 0.25]
    better = neat.tell(state, tell(proposals, 20, lambda id: losses[id - 20]), Random(0))
    assert [(member.id, member.loss) for member in better.hall] == [(22, 0.05), (8, 0.2)]
    new = neat.tell(state, tell(proposals, 20, lambda id: 0.01 * (id - 19)), Random(0))
    assert [member.id for member in new.hall] == [20, 21]


def test_a_hall_of_nobody_is_empty() -> None:
    neat = strategy(hall_of_fame=0)
    asked, state = neat.ask(neat.init(Random(0)), Random(1))
    assert neat.tell(state, tell(asked, 0, lambda id: 1.0), Random(2)).hall == ()


def test_what_fails_is_no_member_and_without_members_samples_are_drawn() -> None:
    neat = strategy()
    asked, state = neat.ask(neat.init(Random(0)), Random(1))
    half = neat.tell(state, tell(asked, 0, lambda id: 1.0 if id % 2 else None), Random(2))
    assert {member.id % 2 for member in half.members} == {1}
    none = neat.tell(state, tell(asked, 0, lambda id: None), Random(2))
    assert none.members == none.clusters == () and {one.operator for one in neat.ask(none, Random(3))[0]} == {"sample"}
    assert neat.figures(none)["best_loss"] is None


def test_generations_asked_early_keep_their_origins() -> None:
    neat = strategy(population_size=4)
    first, state = neat.ask(neat.init(Random(0)), Random(1))
    second, state = neat.ask(state, Random(2))
    state = neat.tell(state, tell(first, 0, lambda id: 0.1 * (id + 1)), Random(3))
    third, state = neat.ask(state, Random(4))
    assert len(state.pending) == 2 and state.pending[0] == (None,) * 4 and set(state.pending[1]) - {None}
    state = neat.tell(state, tell(second, 4, lambda id: 1.0), Random(5))
    state = neat.tell(state, tell(third, 8, lambda id: 0.01 * id), Random(6))
    assert state.pending == () and state.generation == 3
    assert len({member.id for member in state.hall}) == 5


def test_a_metric_of_which_more_is_better_is_refused() -> None:
    strategy().check_objectives([Objective("valid_loss", "min")])
    with pytest.raises(UsageError, match="more squared_fitness is better; name a loss first"):
        strategy().check_objectives([Objective("squared_fitness", "max")])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("population_size", 1),
        ("clusters", 0),
        ("clusters", 21),
        ("hall_of_fame", -1),
        ("extinction_probability", 1.1),
        ("loss_slack", 0.0),
    ],
)
def test_settings_out_of_range_are_refused(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.{key}") as caught:
        strategy(**{key: value})
    assert "\n" not in str(caught.value)
