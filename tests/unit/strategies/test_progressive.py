"""Progressive search: which cells are asked for at each number of blocks, and what happens where a level fails."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.spaces.nasbench201 import OPERATIONS, NasBench201
from evonas_cli.strategies.progressive import Growth, Progressive

SPACE = NasBench201(operations=OPERATIONS[:4])
EDGES = ((3,), (0, 4), (1, 2, 5))
"""Places of the edges of each block in a genome."""


def loss(genome: Any) -> float:
    """Every 3x3 convolution makes the network better."""
    return 1.0 - genome.count("nor_conv_3x3") / 6


def driven(strategy: Any, steps: int, losses: Any = loss) -> tuple[Growth[Any], list[list[Proposal[Any]]]]:
    state, asked, count = strategy.init(Random(0)), [], 0
    for step in range(steps):
        proposals, state = strategy.ask(state, stream(2, "ask", step))
        asked.append(proposals)
        if not proposals:
            break
        found = [None if losses is None else (losses(one.genome),) for one in proposals]
        pairs = enumerate(zip(proposals, found, strict=True), count)
        told = [Evaluation(id, one.genome, own) for id, (one, own) in pairs]
        state = strategy.tell(state, told, stream(2, "tell", step))
        count += len(proposals)
    return state, asked


def live(genome: Any) -> set[int]:
    return {place for place, operation in enumerate(genome) if operation != "none"}


def test_cells_grow_by_a_block_from_the_best_of_the_level_before() -> None:
    state, (first, second, third) = driven(Progressive(space=SPACE, beam=6), 3)
    assert [one.genome[3] for one in first] == list(OPERATIONS[:4]) and all(live(one.genome) <= {3} for one in first)
    assert len(second) == len(third) == 6 and state.level == 3
    assert all(live(one.genome) <= {*EDGES[0], *EDGES[1]} for one in second)
    told = {id: one.genome for id, one in enumerate([*first, *second])}
    for child in third:
        [parent] = child.parents
        assert 4 <= parent < 10
        assert [child.genome[place] for place in (3, 0, 4)] == [told[parent][place] for place in (3, 0, 4)]


@pytest.mark.parametrize("model", ["ridge", "mlp"])
def test_expansions_that_are_predicted_best_are_evaluated(model: str) -> None:
    state, asked = driven(Progressive(space=SPACE, beam=12, model=model), 4)
    third = [loss(one.genome) for one in asked[2]]
    pool = [loss(genome) for id in state.beam for genome in SPACE.grown(state.seen.told[id].genome, 3)]
    assert sum(third) / len(third) < sum(pool) / len(pool) - 0.1
    assert Progressive(space=SPACE).figures(state)["level"] == 3
    assert all(len(guesses) == 0 for guesses in state.guesses) and len(state.pairs) == 24


def test_no_network_is_evaluated_twice_until_none_is_left() -> None:
    space = NasBench201(operations=["none", "nor_conv_3x3"])
    strategy = Progressive(space=space, beam=40)
    state, asked = driven(strategy, 6)
    forms = [space.function_key(one.genome) for step in asked for one in step]
    assert len(set(forms)) == len(forms) and asked[-1] == []
    assert set(forms) < {space.function_key(genome) for genome in _all(space)}


def _all(space: NasBench201) -> list[Any]:
    first = space.grown(None, 1)
    second = [other for one in first for other in space.grown(one, 2)]
    return [other for one in second for other in space.grown(one, 3)]


def test_grown_cells_are_all_cells() -> None:
    assert len(set(_all(NasBench201()))) == 5**6


def test_where_a_level_fails_samples_take_its_place() -> None:
    state, asked = driven(Progressive(space=SPACE, beam=5), 3, None)
    assert state.level == 1 and [len(step) for step in asked] == [4, 5, 5]
    assert {one.operator for step in asked[1:] for one in step} == {"sample"}


def test_asked_ahead_the_first_level_is_followed_by_samples() -> None:
    strategy = Progressive(space=SPACE, beam=5)
    _, state = strategy.ask(strategy.init(Random(0)), Random(0))
    proposals, state = strategy.ask(state, Random(1))
    assert [one.operator for one in proposals] == ["sample"] * 5 and len(state.seen.pending) == 2


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="strategy.beam must be a whole number of at least 1"):
        Progressive(space=SPACE, beam=0)
    with pytest.raises(UsageError, match="strategy.model must be one of ridge, mlp"):
        Progressive(space=SPACE, model="lstm")
    with pytest.raises(UsageError, match="add it to space.operations"):
        Progressive(space=NasBench201(operations=["skip_connect", "nor_conv_3x3"])).init(Random(0))
