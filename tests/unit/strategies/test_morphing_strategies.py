"""Hill climbing and LEMONADE by hand: who is the parent, what is handed on, when a search ends, what is refused."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.pareto import dominates
from evonas_cli.core.types import Evaluation, Objective, Proposal
from evonas_cli.evolution.density import densities, rarities
from evonas_cli.spaces.layered_cnn import LayeredCnn
from evonas_cli.strategies.hill_climbing import HillClimbing
from evonas_cli.strategies.lemonade import Lemonade, Member, Rounds
from evonas_cli.strategies.regularized_evolution import RegularizedEvolution

SPACE: Any = LayeredCnn()


def told(first: int, proposals: list[Proposal[Any]], losses: list[Any]) -> list[Evaluation[Any]]:
    rows = enumerate(zip(proposals, losses, strict=True), first)
    return [Evaluation(id, p.genome, loss, parents=p.parents) for id, (p, loss) in rows]


def test_the_best_child_is_the_next_parent_if_it_is_better() -> None:
    strategy = HillClimbing(space=SPACE, children=3, morphs=2)
    proposals, state = strategy.ask(strategy.init(Random(0)), Random(0))
    assert [(p.genome, p.continues, p.operator) for p in proposals] == [(SPACE.start(), None, "start")]
    state = strategy.tell(state, told(0, proposals, [(0.5,)]), Random(0))
    children, state = strategy.ask(state, Random(1))
    assert {p.continues for p in children} == {0} and len(children) == 3
    assert all(p.options["start"] == "inherited" and len(p.options["morphs"]) >= 2 for p in children)  # type: ignore[index, call-overload, arg-type]
    better = strategy.tell(state, told(1, children, [(0.6,), (0.3,), None]), Random(1))
    assert strategy.population(better) == strategy.keeps(better) == (2,)
    assert better.current is not None and better.current.genome == children[1].genome and better.stale == 0
    for losses in ([(0.6,), (0.5,), None], [None] * 3):
        worse = strategy.tell(state, told(1, children, losses), Random(1))
        assert strategy.population(worse) == (0,) and worse.stale == 1


def test_the_climb_ends_after_its_steps_without_gain_or_growth() -> None:
    for settings, steps in (({"steps": 2}, 2), ({"patience": 1}, 1), ({"patience": 3}, 3)):
        strategy = HillClimbing(space=SPACE, children=2, morphs=1, **settings)  # type: ignore[arg-type]
        state, asked = strategy.init(Random(0)), 0
        for step in range(10):
            proposals, state = strategy.ask(state, Random(step))
            asked += bool(proposals)
            state = strategy.tell(state, told(3 * step, proposals, [(0.5,)] * len(proposals)), Random(step))
            if not proposals:
                break
        assert asked == 1 + steps
    full: Any = LayeredCnn(blocks=1, layers=1, filters=[4], max_filters=4, kernels=[3], start_blocks=1, start_filters=4)
    strategy = HillClimbing(space=full)
    proposals, state = strategy.ask(strategy.init(Random(0)), Random(0))
    state = strategy.tell(state, told(0, proposals, [(0.5,)]), Random(0))
    assert strategy.ask(state, Random(0))[0] == []


def test_a_start_that_fails_is_tried_again() -> None:
    strategy = HillClimbing(space=SPACE)
    proposals, state = strategy.ask(strategy.init(Random(0)), Random(0))
    state = strategy.tell(state, told(0, proposals, [None]), Random(0))
    assert strategy.ask(state, Random(1))[0] == proposals


def first_round(**settings: Any) -> tuple[Any, list[Proposal[Any]], Any]:
    strategy: Any = Lemonade(space=SPACE, initial=3, proposed=12, trained=4, **settings)
    proposals, state = strategy.ask(strategy.init(Random(0)), Random(0))
    assert [p.continues for p in proposals] == [None] * 3 and proposals[0].genome == SPACE.start()
    state = strategy.tell(state, told(0, proposals, [(0.5, 10), (0.4, 20), (0.6, 30)]), Random(0))
    return strategy, *strategy.ask(state, Random(1))


def test_a_round_trains_children_of_the_front() -> None:
    strategy, children, state = first_round()
    assert strategy.population(state) == (0, 1)
    assert len(children) == 4 and {p.continues for p in children} <= {0, 1}
    assert len({p.genome for p in children}) == 4
    for child in children:
        assert (child.operator == "approximate") == ("distil" in child.options)  # type: ignore[operator]
    offers = strategy.figures(state)["offers"]
    assert 4 < len(offers) <= 12 and sum(accepted for *_, accepted in offers) == 4
    assert sum(weight for _, _, weight, _ in offers) == pytest.approx(1)
    after = strategy.tell(state, told(3, children, [(0.1, 15), None, (0.9, 5), (0.7, 50)]), Random(1))
    assert strategy.population(after) == strategy.keeps(after) == (0, 3, 5)
    losses = [member.losses for member in after.members]
    assert not any(dominates(a, b) for a in losses for b in losses)


def test_a_lucky_member_goes_when_it_is_measured_again() -> None:
    strategy, asked, state = first_round(remeasure=2)
    again = [p for p in asked if p.operator == "train_on"]
    assert {p.continues for p in again} == {0, 1} and {p.options["start"] for p in again} == {"weights"}  # type: ignore[index, call-overload]
    losses = {0: (0.45, 10), 1: (0.9, 20)}
    values = [losses.get(p.parents[0]) if p.operator == "train_on" else None for p in asked]
    after = strategy.tell(state, told(3, asked, values), Random(2))
    assert [member.losses for member in after.members] == [(0.45, 10)]


def test_sparse_places_are_preferred() -> None:
    crowd = [Member(id, SPACE.start(), (0.5, 1.0)) for id in range(20)]
    rare = SPACE.start()
    for seed in range(6):
        rare = SPACE.grow(rare, Random(seed)).genome
    strategy: Any = Lemonade(space=SPACE, proposed=200, trained=1)
    state = Rounds((*crowd, Member(99, rare, (0.1, 9.0))))
    _, after = strategy.ask(state, Random(0))
    parents = Counter(offer.parent for offer in after.offers)
    assert parents[99] > 5 * max(parents[id] for id in range(20))


def test_densities_by_hand() -> None:
    points = [(0.0,), (2.0,)]
    width = (4 / 6) ** 0.2
    peak, middle = densities(points, [(0.0,), (1.0,)])
    assert peak == pytest.approx(1 + math.exp(-((2 / width) ** 2) / 2))
    assert middle == pytest.approx(2 * math.exp(-((1 / width) ** 2) / 2))
    assert densities(points, [(0.0,), (1e9,)])[1] == pytest.approx(0.01 * peak)
    assert rarities([(1.0,)], [(1.0,), (1.0,)]) == [0.5, 0.5]
    with pytest.raises(ValueError, match="needs points"):
        densities([], [(0.0,)])


def test_what_lemonade_cannot_do_is_refused() -> None:
    one = Objective("valid_error", "min")
    with pytest.raises(UsageError, match="two objectives or more, not 1"):
        Lemonade(space=SPACE).check_objectives([one])
    Lemonade(space=SPACE).check_objectives([one, replace(one, name="parameters")])
    with pytest.raises(UsageError, match=r"strategy\.trained=9 exceeds strategy\.proposed=8"):
        Lemonade(space=SPACE, trained=9, proposed=8)
    with pytest.raises(UsageError, match=r"strategy\.cheap names weight, but the space counts parameters"):
        Lemonade(space=SPACE, cheap=["weight"]).init(Random(0))


def test_aging_evolution_hands_weights_on_to_mutants() -> None:
    strategy = RegularizedEvolution(space=SPACE, population_size=2, sample_size=2, replacement=False, inherit="weights")
    assert strategy.demands.continues and strategy.demands.options
    state = strategy.init(Random(0))
    for id in range(2):
        [sample], state = strategy.ask(state, Random(id))
        assert sample.continues is None
        state = strategy.tell(state, told(id, [sample], [(float(id),)]), Random(id))
    [mutant], state = strategy.ask(state, Random(5))
    assert (mutant.continues, mutant.parents, mutant.options) == (0, (0,), {"start": "matching"})
    assert strategy.keeps(state) == (0, 1)
    plain = RegularizedEvolution(space=SPACE, population_size=2, sample_size=2)
    assert not plain.demands.continues and plain.ask(state, Random(5))[0][0].continues is None
    with pytest.raises(UsageError, match="inherit must be none or weights"):
        RegularizedEvolution(space=SPACE, population_size=2, sample_size=2, inherit="schedule")  # type: ignore[arg-type]
