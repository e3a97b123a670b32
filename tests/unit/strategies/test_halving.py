"""Successive halving: who goes on, how far everybody is trained, and what becomes of failures."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.genomes.choices import Genes
from evonas_cli.spaces.bits import Bits
from evonas_cli.strategies.halving import Brackets, SuccessiveHalving

SPACE = Bits(12)
STATED = ((24, 1), (12, 2), (6, 4), (3, 6))
Losses = Callable[[int], tuple[float, ...] | None]
Asked = dict[int, Proposal[Genes]]


def halving(**given: Any) -> SuccessiveHalving[Genes]:
    return SuccessiveHalving(**({"space": SPACE} | given))


def run(
    strategy: SuccessiveHalving[Genes], n_steps: int, losses: Losses, window: int = 1
) -> tuple[list[Asked], list[Brackets[Genes]]]:
    """The proposals of each step by id, and the state after each tell, under the window rule."""
    steps: list[Asked] = []
    states: list[Brackets[Genes]] = []
    waiting: deque[int] = deque()
    state, next_id = strategy.init(Random(0)), 0
    for step in range(n_steps):
        if len(waiting) == window:
            asked = steps[waiting.popleft()]
            told = [Evaluation(id, proposal.genome, losses(id)) for id, proposal in asked.items()]
            state = strategy.tell(state, told, Random(0))
            states.append(state)
        proposals, state = strategy.ask(state, stream(1, "ask", step))
        assert proposals
        steps.append(dict(enumerate(proposals, next_id)))
        waiting.append(step)
        next_id += len(proposals)
    return steps, states


def random_losses(share_failed: float, n_objectives: int = 1) -> Losses:
    """Losses of few values, so that ties are frequent; a share of the candidates fails."""

    def losses(id: int) -> tuple[float, ...] | None:
        rng = stream(7, "loss", id)
        if rng.random() < share_failed:
            return None
        return tuple([float(rng.randint(0, 5)) for _ in range(n_objectives)])

    return losses


@given(st.integers(1, 40), st.integers(2, 4), st.integers(0, 3), st.booleans(), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_of_each_rung_exactly_the_best_go_on(
    extra: int, reduction: int, promotions: int, continues: bool, share_failed: float
) -> None:
    candidates = reduction**promotions + extra - 1
    least = float(reduction**-promotions)
    strategy = halving(candidates=candidates, reduction=reduction, least_fidelity=least, continues=continues)
    losses = random_losses(share_failed)
    steps, _ = run(strategy, 9, losses)
    rung = 0
    for before, after in zip([{}, *steps], steps, strict=False):
        seats = candidates // reduction**rung
        able = sorted((losses(id), id) for id in before if losses(id) is not None)
        if rung > promotions or (rung and not able):
            rung, seats = 0, candidates
        if rung == 0:
            assert {(p.operator, p.parents, p.continues) for p in after.values()} == {("sample", (), None)}
            assert len(after) == seats
        else:
            best = [id for _, id in able][:seats]
            assert [p.parents for p in after.values()] == [(id,) for id in best]
            assert [p.genome for p in after.values()] == [before[id].genome for id in best]
            assert [p.continues for p in after.values()] == [id if continues else None for id in best]
        assert {p.fidelity for p in after.values()} == {reduction ** (rung - promotions)}
        rung += 1


@pytest.mark.parametrize(
    ("given", "ladder"),
    [
        ({}, [(16, 1 / 8), (8, 1 / 4), (4, 1 / 2), (2, 1)]),
        ({"candidates": 30, "reduction": 3, "least_fidelity": 0.111}, [(30, 1 / 9), (10, 1 / 3), (3, 1)]),
        ({"candidates": 30, "reduction": 3, "least_fidelity": 0.112}, [(30, 1 / 3), (10, 1)]),
        ({"candidates": 5, "least_fidelity": 1.0}, [(5, 1)]),
        ({"candidates": 5, "reduction": 10**400}, [(5, 1)]),
        ({"rungs": STATED}, [(24, 1 / 6), (12, 2 / 6), (6, 4 / 6), (3, 1)]),
        ({"rungs": ((64.0, 12.0), (8.0, 200.0))}, [(64, 0.06), (8, 1)]),
    ],
)
def test_the_ladder(given: dict[str, Any], ladder: list[tuple[int, float]]) -> None:
    strategy = halving(**given)
    assert list(strategy._ladder) == ladder
    assert strategy.least_evaluations == sum(seats for seats, _ in ladder)


@pytest.mark.parametrize(("continues", "epochs"), [(True, 24 + 12 * 1 + 6 * 2 + 3 * 2), (False, 24 + 24 + 24 + 18)])
def test_the_epochs_of_a_bracket_are_those_of_the_formula(continues: bool, epochs: int) -> None:
    steps, _ = run(halving(rungs=STATED, continues=continues), 4, random_losses(0))
    asked = {id: proposal for step in steps for id, proposal in step.items()}
    before = {id: asked[p.continues].fidelity if p.continues is not None else 0.0 for id, p in asked.items()}
    assert 6 * sum(p.fidelity - before[id] for id, p in asked.items()) == pytest.approx(epochs)


def test_seats_that_nobody_fills_stay_empty_and_a_bracket_without_survivors_ends() -> None:
    few: Losses = lambda id: (float(id),) if id in (5, 20) else None  # noqa: E731
    steps, states = run(halving(rungs=STATED), 5, few)
    assert [len(step) for step in steps] == [24, 2, 24, 24, 24]
    assert [p.parents for p in steps[1].values()] == [(5,), (20,)]
    assert [state.alive for state in states] == [(5, 20), (), (), ()]
    assert states[-1].begun == 3
    assert not states[-1].ready


def test_the_population_is_who_goes_on_and_at_last_whoever_was_trained_in_full() -> None:
    strategy = halving(rungs=((4, 1), (2, 2)))
    values = [(3.0,), (1.0,), (2.0,), (1.0,), (9.0,), (8.0,)]
    _, states = run(strategy, 3, values.__getitem__)
    assert [strategy.population(state) for state in states] == [(1, 3), (5, 4)]
    assert strategy.figures(states[0]) == {"brackets": 1, "rung": 0, "fidelity": 0.5, "alive": 2}


def test_several_objectives_rank_by_fronts_then_crowding() -> None:
    front = {0: (0.0, 5.0), 1: (1.0, 4.5), 2: (2.0, 1.0), 3: (5.0, 0.0), 4: (6.0, 6.0), 5: (0.0, 5.5)}
    steps, _ = run(halving(rungs=((6, 1), (3, 2))), 2, front.get)
    assert [p.parents for p in steps[1].values()] == [(0,), (3,), (2,)]


def test_under_a_window_brackets_overlap_and_each_keeps_its_own_best() -> None:
    steps, _ = run(halving(rungs=((4, 1), (2, 2))), 7, lambda id: (float(-id),), window=3)
    assert [len(step) for step in steps] == [4, 4, 4, 2, 2, 2, 4]
    assert [[p.parents[0] for p in step.values()] for step in steps[3:6]] == [[3, 2], [7, 6], [11, 10]]


def test_of_several_brackets_that_wait_the_oldest_goes_on_first() -> None:
    strategy = halving(rungs=((2, 1), (1, 2)))
    state = strategy.init(Random(0))
    asked = []
    for step in range(2):
        proposals, state = strategy.ask(state, stream(1, "ask", step))
        asked += proposals
    for first in (0, 2):
        told = [Evaluation(id, asked[id].genome, (float(id),)) for id in (first, first + 1)]
        state = strategy.tell(state, told, Random(0))
    promoted = []
    for step in (2, 3):
        proposals, state = strategy.ask(state, stream(1, "ask", step))
        promoted += [proposal.parents for proposal in proposals]
    assert promoted == [(0,), (2,)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"candidates": 0}, "strategy.candidates must be a whole number of at least 1"),
        ({"candidates": 7}, "strategy.candidates=7 leaves no candidate for the last of 4 rungs"),
        ({"reduction": 1}, "strategy.reduction must be a whole number of at least 2"),
        ({"least_fidelity": 0.0}, r"strategy.least_fidelity must be a number in \[0.000001, 1\]"),
        ({"continues": 1}, "strategy.continues must be true or false"),
        ({"rungs": ()}, "strategy.rungs must be pairs"),
        ({"rungs": ((24, 1), (12,))}, "strategy.rungs must be pairs"),
        ({"rungs": ((2.5, 1),)}, "strategy.rungs must be pairs"),
        ({"rungs": ((0, 1),)}, "strategy.rungs must be pairs"),
        ({"rungs": ((4, 0), (2, 1))}, "strategy.rungs must be pairs"),
        ({"rungs": ((4, 1), (5, 2))}, "strategy.rungs must go on to more epochs and never to more seats"),
        ({"rungs": ((4, 2), (2, 2))}, "strategy.rungs must go on to more epochs"),
    ],
)
def test_settings_that_make_no_bracket_are_refused(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        halving(**given)
