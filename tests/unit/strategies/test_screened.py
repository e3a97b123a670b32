"""Screening: which of a proposer's proposals are evaluated, what the proposer is told, and when screening is off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.spaces.bits import Bits
from evonas_cli.strategies.genetic import Genetic
from evonas_cli.strategies.halving import SuccessiveHalving
from evonas_cli.strategies.nsga2 import Nsga2
from evonas_cli.strategies.random import RandomSearch
from evonas_cli.strategies.regularized_evolution import RegularizedEvolution
from evonas_cli.strategies.screened import LEAST, Screen, Screened

SPACE: Any = Bits(12)


def zeros(genome: Any) -> float:
    return float(len(genome) - sum(genome))


def told(proposals: list[Proposal[Any]], begin: int, sign: float = 1.0) -> list[Evaluation[Any]]:
    return [Evaluation(begin + n, one.genome, (sign * zeros(one.genome), 0.5)) for n, one in enumerate(proposals)]


def driven(strategy: Any, steps: int) -> tuple[Any, list[list[Proposal[Any]]]]:
    """The state after so many steps of counting zeros, and what was proposed."""
    state, asked, count = strategy.init(Random(0)), [], 0
    for step in range(steps):
        proposals, state = strategy.ask(state, stream(3, "ask", step))
        state = strategy.tell(state, told(proposals, count), stream(3, "tell", step))
        asked.append(proposals)
        count += len(proposals)
    return state, asked


def screened(proposer: Any, **settings: Any) -> Screened[Any]:
    return Screened(**{"space": SPACE, "proposer": proposer, "start": LEAST, "encoding": "genes", **settings})


def test_until_there_is_a_model_the_run_is_the_proposers() -> None:
    evolution = RegularizedEvolution(space=SPACE, population_size=6, sample_size=3)
    _, plain = driven(evolution, 30)
    state, asked = driven(screened(evolution, start=30), 30)
    assert asked == plain and state[0].spared == 0
    _, asked = driven(screened(evolution), 30)
    assert asked[:LEAST] == plain[:LEAST] and asked != plain


@pytest.mark.parametrize("factor", [2, 5])
def test_each_place_gets_the_best_of_independent_proposals(factor: int) -> None:
    proposer = RandomSearch(space=SPACE, batch=20)
    strategy = screened(proposer, factor=factor)
    state, _ = driven(strategy, 2)
    proposals, (screen, inner) = strategy.ask(state, stream(1, "ask"))
    rng = stream(1, "ask")
    asks = [proposer.ask(state[1], rng)[0] for _ in range(factor)]
    assert [zeros(one.genome) for one in proposals] == [
        min(zeros(one.genome) for one in place) for place in zip(*asks, strict=True)
    ]
    assert screen.spared == state[0].spared + 20 * (factor - 1)
    assert inner.asked == 60


@dataclass(frozen=True)
class Remembering:
    """Draws two genomes a step and keeps what it has asked for; it must be told just that."""

    space: Any
    demands: Any = RandomSearch(space=SPACE).demands
    least_evaluations: int = 1

    def init(self, rng: Random) -> tuple[Any, ...]:
        return ()

    def ask(self, state: Any, rng: Random) -> Any:
        genomes = tuple([self.space.sample(rng) for _ in range(2)])
        return [Proposal(genome) for genome in genomes], genomes

    def tell(self, state: Any, told: Any, rng: Random) -> Any:
        assert state == tuple([one.genome for one in told])
        return ()

    def population(self, state: Any) -> tuple[int, ...]:
        return ()


def test_a_proposer_that_remembers_is_told_a_whole_ask() -> None:
    strategy = screened(Remembering(SPACE))
    state, asked = driven(strategy, 40)
    assert state[0].spared == sum(2 * 3 for _ in asked[LEAST // 2 :])
    late = [zeros(one.genome) for step in asked[LEAST // 2 :] for one in step]
    assert sum(late) / len(late) < 5.6  # six zeros of twelve are the mean of the prior


@pytest.mark.parametrize(
    "proposer",
    [
        Genetic(space=SPACE, population_size=10),
        Nsga2(space=SPACE, population_size=10),
        RegularizedEvolution(space=SPACE, population_size=10, sample_size=3),
    ],
)
def test_children_of_populations_are_screened(proposer: Any) -> None:
    size = 1 if isinstance(proposer, RegularizedEvolution) else 10
    state, asked = driven(screened(proposer), 60 // size)
    plain = driven(proposer, 60 // size)[1]
    assert state[0].spared > 0 and state[0].correlation is not None
    last, alone = ([zeros(one.genome) for step in found[-20 // size :] for one in step] for found in (asked, plain))
    assert sum(last) < sum(alone)


def test_screening_is_off_while_predictions_are_no_better_than_chance() -> None:
    strategy = screened(RandomSearch(space=SPACE), threshold=0.3, recent=LEAST)
    state, _ = driven(strategy, 40)
    assert strategy.figures(state)["screening"] is True
    wrong = tuple([(float(n), -float(n)) for n in range(LEAST)])
    off = replace(state[0], pairs=wrong), state[1]
    assert strategy.figures(off) == {"screening": False, "correlation": -1.0, "screened_out": state[0].spared}
    proposals, (screen, inner) = strategy.ask(off, stream(1, "ask"))
    assert proposals == RandomSearch(space=SPACE).ask(state[1], stream(1, "ask"))[0]
    assert screen.spared == state[0].spared and len(screen.pending[-1]) == 1  # it is predicted nevertheless
    right = tuple([(float(n), float(n)) for n in range(LEAST)])
    assert strategy.figures((replace(off[0], pairs=right), inner))["screening"] is True


def test_failures_teach_nothing_and_have_no_correlation() -> None:
    strategy = screened(RandomSearch(space=SPACE))
    state = strategy.init(Random(0))
    for step in range(30):
        proposals, state = strategy.ask(state, stream(3, "ask", step))
        state = strategy.tell(state, [Evaluation(step, proposals[0].genome, None)], stream(3, "tell", step))
    assert state[0] == Screen()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"start": 9}, "strategy.start=9 is too early: a model needs 10 evaluations"),
        ({"factor": 1}, "strategy.factor must be a whole number of at least 2; it is 1"),
        ({"model": "forest"}, "strategy.model must be one of ridge, mlp; it is 'forest'"),
        ({"recent": 5}, "strategy.recent must be a whole number of at least 10"),
        ({"threshold": 2.0}, "strategy.threshold must be a number in"),
        ({"proposer": SuccessiveHalving(space=SPACE)}, "SuccessiveHalving itself decides how candidates are trained"),
    ],
)
def test_what_does_not_fit_is_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        screened(**{"proposer": RandomSearch(space=SPACE), **settings})
