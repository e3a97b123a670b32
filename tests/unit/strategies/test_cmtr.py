"""Champions meet challengers round by round, and module sets generation by generation."""

from __future__ import annotations

from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation
from evonas_cli.spaces.cmtr import Cmtr as Space
from evonas_cli.spaces.cmtr import Multitask
from evonas_cli.strategies.cmtr import Cmtr

SPACE = Space(tasks=2, modules=3)


def strategy(**settings: Any) -> Cmtr[Multitask]:
    return Cmtr(space=SPACE, **{"population_size": 1, "rounds": 3, "generations": 1, **settings})


def told(id: int, genome: Multitask, wins: tuple[bool, ...], loss: float | None = 0.5) -> Evaluation[Multitask]:
    metrics = {}
    for task, won in enumerate(wins, start=1):
        metrics |= {f"valid_error_{task}": 0.5, f"valid_challenger_error_{task}": 0.4 if won else 0.5}
    return Evaluation(id, genome, None if loss is None else (loss,), metrics=metrics)


def test_challengers_that_win_are_champions_and_the_last_round_has_none() -> None:
    own = strategy()
    state = own.init(stream(0, "init"))
    [founder], state = own.ask(state, stream(0, "ask", 0))
    assert founder.continues is None and len(founder.genome.challengers) == 2
    state = own.tell(state, [told(0, founder.genome, (True, False))], stream(0, "tell"))
    [second], state = own.ask(state, stream(0, "ask", 1))
    assert second.genome.champions == (founder.genome.challengers[0], founder.genome.champions[1])
    assert (second.continues, second.operator) == (0, "challenge")
    [failed] = [told(1, second.genome, (), None)]
    state = own.tell(state, [failed], stream(0, "tell"))
    assert own.population(state) == (0,) and own.figures(state)["accepted"] == 1
    [third], state = own.ask(state, stream(0, "ask", 2))
    assert third.continues == 0 and third.genome.champions == second.genome.champions
    state = own.tell(state, [told(2, third.genome, (False, True))], stream(0, "tell"))
    [last], state = own.ask(state, stream(0, "ask", 3))
    assert (last.operator, last.continues, last.genome.challengers) == ("settled", 2, ())
    assert last.genome.champions == (third.genome.champions[0], third.genome.challengers[1])
    state = own.tell(state, [told(3, last.genome, ())], stream(0, "tell"))
    assert own.ask(state, stream(0, "ask", 4))[0] == []
    assert own.figures(state) == {"generation": 0, "round": 4, "challengers": 4, "accepted": 2}


def test_the_best_modules_begin_again_and_the_others_are_their_children() -> None:
    own, id = strategy(population_size=4, rounds=1, generations=2), 0
    state = own.init(stream(0, "init"))
    origins: list[Any] = []
    for step, losses in enumerate([(0.1, 0.1, 0.1, 0.1), (0.4, 0.2, None, 0.3)]):
        proposals, state = own.ask(state, stream(0, "ask", step))
        origins = origins or [one.genome for one in proposals]
        pairs = zip(proposals, losses, strict=True)
        state = own.tell(
            state, [told(id + n, one.genome, (), loss) for n, (one, loss) in enumerate(pairs)], stream(0, "tell")
        )
        id += 4
    proposals, state = own.ask(state, stream(0, "ask", 2))
    assert [one.operator for one in proposals] == ["founder"] * 4 and state.generation == 1
    assert proposals[0].genome == origins[2]  # it failed in its last round, and has the loss of its last good one
    assert all(one.continues is None for one in proposals)
    parents = {origins[2].modules, origins[1].modules}
    for child in proposals[1:]:
        differ = [all(gene != parent[place] for parent in parents) for place, gene in enumerate(child.genome.modules)]
        assert sum(differ) <= 1


def test_settings_without_an_end_are_refused() -> None:
    with pytest.raises(
        UsageError, match="strategy.rounds=null has no end; a population of more than one needs a number"
    ):
        strategy(population_size=2, rounds=None)
    assert strategy(rounds=None).ask(strategy(rounds=None).init(stream(0, "x")), stream(0, "y"))[0]
