"""AdaNet: rounds of two subnetworks, what joins, when growth ends, and the penalties that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.spaces.mlp_ensemble import MlpEnsemble
from evonas_cli.strategies.adanet import AdaNet, Growth

RNG = Random(0)


class Course:
    """A run by hand: `objective` says F of the joined depths, None a failure of the mixing; ids count up."""

    def __init__(self, strategy: AdaNet[Any], objective: Callable[[Sequence[int]], float | None]) -> None:
        self.strategy, self.objective = strategy, objective
        self.state: Growth[Any] = strategy.init(RNG)
        self.next_id, self.asked = 0, list[list[Proposal[Any]]]()

    def step(self, failing: Sequence[int] = ()) -> list[Proposal[Any]]:
        """One ask and its tell; `failing` are places in the ask."""
        proposals, self.state = self.strategy.ask(self.state, RNG)
        self.asked.append(proposals)
        told = []
        for place, proposal in enumerate(proposals):
            losses: tuple[float, ...] | None = None if place in failing or proposal.job else (0.5,)
            value = self.objective(proposal.genome) if proposal.job and place not in failing else None
            metrics = {} if value is None else {"objective": value}
            told.append(Evaluation(self.next_id, proposal.genome, losses, metrics=metrics, parents=proposal.parents))
            self.next_id += 1
        self.state = self.strategy.tell(self.state, told, RNG)
        return proposals


def strategy(**given: Any) -> AdaNet[Any]:
    return AdaNet(space=MlpEnsemble(max_layers=3), **given)


def deeper_is_better(depths: Sequence[int]) -> float:
    return 1 / (1 + sum(depths) + len(depths))


def test_a_round_trains_two_subnetworks_and_tries_each() -> None:
    course = Course(strategy(complexity=0.1, beta=0.01), deeper_is_better)
    assert [proposal.genome for proposal in course.step()] == [(0,), (1,)]
    tried = course.step()
    assert [(one.genome, one.job, one.continues, one.parents) for one in tried] == [
        ((0,), "ensemble", 0, (0,)),
        ((1,), "ensemble", 1, (1,)),
    ]
    assert [one.options["penalties"] for one in tried] == [[0.01], [pytest.approx(0.11)]]
    assert [proposal.genome for proposal in course.step()] == [(1,), (2,)]
    tried = course.step()
    assert [one.genome for one in tried] == [(1, 1), (1, 2)] and tried[1].parents == (1, 5)
    assert tried[1].options["penalties"] == pytest.approx([0.1 + 0.01, 0.1 * sqrt(2) + 0.01])
    assert tried[1].options["members"] == [1, 5] and tried[1].options["steps"] == 100


def test_the_objective_falls_over_accepted_rounds_and_the_rounds_are_bounded() -> None:
    course = Course(strategy(rounds=3), deeper_is_better)
    while course.step():
        assert course.next_id < 50
    figures = course.strategy.figures(course.state)
    assert figures["hidden_layers"] == [1, 2, 3], "the last round has no deeper one than the space's deepest"
    assert figures["objectives"] == [1 / 3, 1 / 6, 1 / 10]
    assert course.strategy.population(course.state) == (1, 5, 9, 11)


def test_at_the_greatest_depth_one_subnetwork_is_asked() -> None:
    course = Course(strategy(), deeper_is_better)
    for _ in range(6):
        course.step()
    assert [proposal.genome for proposal in course.step()] == [(3,)]


@pytest.mark.parametrize(("force", "members"), [(False, 1), (True, 5)])
def test_growth_ends_where_the_objective_does_not_fall(force: bool, members: int) -> None:
    course = Course(strategy(force_grow=force), lambda depths: 0.5)
    while course.step():
        assert course.next_id < 50
    assert len(course.state.members) == members and course.state.done is not force


def test_failures_are_left_out_and_a_round_of_failures_is_asked_again() -> None:
    course = Course(strategy(), deeper_is_better)
    assert len(course.step(failing=(0, 1))) == 2
    assert [one.genome for one in course.step(failing=(1,))] == [(0,), (1,)]
    assert [one.genome for one in course.step(failing=(0,))] == [(0,)]
    assert not course.state.members and not course.state.done
    course.step(failing=(1,))
    course.step()
    assert [member.genome for member in course.state.members] == [(0,)]


def test_weights_of_members_and_of_the_ensemble_are_kept() -> None:
    course = Course(strategy(), deeper_is_better)
    course.step()
    assert course.strategy.keeps(course.state) == {0, 1}
    course.step()
    assert course.strategy.keeps(course.state) == {1, 3}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"complexity": -0.1}, "strategy.complexity is -0.1; a penalty is a number of at least 0"),
        ({"beta": -1.0}, "strategy.beta is -1.0"),
        ({"beta": float("nan")}, "strategy.beta is nan"),
        ({"rounds": 0}, "rounds"),
        ({"mixture_steps": 0}, "mixture_steps"),
    ],
)
def test_refusals(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        strategy(**given)
