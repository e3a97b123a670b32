"""BANANAS: batches of new mutants, what is never proposed, failures, and its gain over random search."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.spaces.bits import Bits
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.strategies.bananas import Bananas

CELLS = NasBench201()


def loss(genome: Any) -> float:
    """Fewer convolutions on the last three edges are worse."""
    return -float(sum(operation.startswith("nor") for operation in genome[3:]) + (genome[0] == "skip_connect"))


def run(strategy: Bananas[Any], steps: int, score: Any, seed: int = 0) -> tuple[list[list[Proposal[Any]]], Any]:
    """The asks, and the last state."""
    state, asks, next_id = strategy.init(Random(seed)), [], 0
    for step in range(steps):
        batch, state = strategy.ask(state, stream(seed, "ask", step))
        asks.append(batch)
        if not batch:
            break
        told = []
        for id, one in enumerate(batch, next_id):
            value = score(one.genome)
            told.append(Evaluation(id, one.genome, None if value is None else (value,)))
        next_id += len(batch)
        state = strategy.tell(state, told, stream(seed, "tell", step))
    return asks, state


def test_ten_samples_and_then_ten_new_mutants_of_the_best_a_step() -> None:
    asks, state = run(Bananas(space=CELLS), 4, loss)
    assert [len(batch) for batch in asks] == [10] * 4
    assert {one.operator for one in asks[0]} == {"sample"}
    told = [one for batch in asks for one in batch]
    for step, batch in enumerate(asks[1:], 1):
        able = sorted(range(10 * step), key=lambda id: loss(told[id].genome))[:10]
        for one in batch:
            assert one.operator == "mutation" and set(one.parents) <= set(able)
            [parent] = one.parents
            assert sum(a != b for a, b in zip(told[parent].genome, one.genome, strict=True)) == 1
    forms = [CELLS.function_key(one.genome) for one in told]
    assert len(set(forms)) == len(forms)
    assert state.deviation is not None and state.deviation > 0


def test_its_later_batches_are_better_than_its_samples() -> None:
    asks, _ = run(Bananas(space=CELLS), 5, loss)
    means = [sum(loss(one.genome) for one in batch) / len(batch) for batch in asks]
    assert means[-1] < means[0] - 1 and min(loss(one.genome) for one in asks[-1]) == -4


def test_failures_are_no_parents_and_a_space_that_is_used_up_ends_the_search() -> None:
    space = Bits(5)
    strategy = Bananas(space=space, initial=8)
    asks, _ = run(strategy, 4, lambda genome: None if genome[0] else -space.score(genome))
    told = [one.genome for batch in asks for one in batch]
    assert [len(batch) for batch in asks] == [8, 10, 10, 4] and len(set(told)) == 32
    for batch in asks:
        assert all(not told[parent][0] for one in batch for parent in one.parents)
    asks, _ = run(strategy, 5, lambda genome: None)
    assert {one.operator for batch in asks for one in batch} == {"sample"} and asks[-1] == []


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"initial": 1}, "strategy.initial must be a whole number of at least 2; it is 1"),
        ({"batch": 0}, "strategy.batch must be"),
        ({"encoding": "path"}, "strategy.encoding must be one of auto, paths, genes"),
        ({"candidates": 0}, "strategy.candidates must be"),
        ({"parents": 0}, "strategy.parents must be"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Bananas(space=CELLS, **settings)
    assert text in str(caught.value)
