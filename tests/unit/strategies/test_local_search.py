"""Local search: it climbs by single genes, stops nowhere but on local optima, and starts again."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.genomes.choices import Genes
from evonas_cli.genomes.ranges import Real
from evonas_cli.spaces.bits import Bits
from evonas_cli.spaces.chain_landscape import ChainLandscape
from evonas_cli.strategies.local_search import Climb, LocalSearch


def climb(
    strategy: LocalSearch, score: Callable[[Genes], float], steps: int, window: int = 1, seed: int = 0
) -> tuple[list[Proposal[Genes]], Climb[Genes], list[tuple[int, ...]]]:
    """All proposals, the last state, and the centre after each tell."""
    state, asked, told, centres = strategy.init(Random(seed)), [], 0, []
    while told < steps:
        while len(asked) < steps and len(asked) - told < window:
            [proposal], state = strategy.ask(state, stream(seed, "ask", len(asked)))
            asked.append(proposal)
        genome = asked[told].genome
        loss = score(genome)
        evaluation = Evaluation(told, genome, None if loss == -1 else (-loss,))
        state = strategy.tell(state, [evaluation], stream(seed, "tell", told))
        centres.append(strategy.population(state))
        told += 1
    return asked, state, centres


@pytest.mark.parametrize("acceptance", ["first", "steepest"])
@pytest.mark.parametrize("window", [1, 3])
def test_it_reaches_the_top_of_one_max_by_single_bits(acceptance: Any, window: int) -> None:
    space = Bits(12)
    asked, _, _ = climb(LocalSearch(space=space, acceptance=acceptance), space.score, 200, window)
    assert any(space.score(proposal.genome) == 1 for proposal in asked)
    for proposal in asked:
        if proposal.operator == "neighbour":
            [parent] = proposal.parents
            differing = sum(a != b for a, b in zip(asked[parent].genome, proposal.genome, strict=True))
            assert differing == 1


@pytest.mark.parametrize("acceptance", ["first", "steepest"])
def test_a_climb_ends_when_nothing_better_is_near_or_the_way_up_is_known(acceptance: Any) -> None:
    space = ChainLandscape(length=5, options=3)
    strategy = LocalSearch(space=space, acceptance=acceptance)
    asked, state, centres = climb(strategy, space.score, 150)
    ended = 0
    for step in range(1, 150):
        before, after = centres[step - 1], centres[step]
        if not before or before == after:
            continue
        start = space.score(asked[before[0]].genome)
        if not after or space.score(asked[after[0]].genome) <= start:
            around = set(strategy._around(asked[before[0]].genome))
            seen = {proposal.genome for proposal in asked[: step + 1]}
            assert around <= seen or max(map(space.score, around & seen)) > start
            ended += 1
    assert state.climbs > 2 and ended > 1


def test_steepest_moves_to_the_best_neighbour_and_first_to_the_first() -> None:
    space = ChainLandscape(length=4, options=3)
    for acceptance, at_once in (("steepest", False), ("first", True)):
        strategy = LocalSearch(space=space, acceptance=acceptance)  # type: ignore[arg-type]
        asked, _, centres = climb(strategy, space.score, 9)
        start = asked[0].genome
        moves = [step for step in range(1, 9) if centres[step] != centres[step - 1]]
        better = [step for step in range(1, 9) if space.score(asked[step].genome) > space.score(start)]
        assert better
        if at_once:
            assert moves[0] == better[0]
        else:
            [best] = [proposal.genome for n, proposal in enumerate(asked) if (n,) == centres[8]]
            assert space.score(best) == max(map(space.score, strategy._around(start)))


@pytest.mark.parametrize("window", [1, 2, 5])
def test_nothing_is_evaluated_twice_while_something_new_is_left(window: int) -> None:
    space = ChainLandscape(length=4, options=3)
    asked, _, _ = climb(LocalSearch(space=space), space.score, 60, window)
    assert len({proposal.genome for proposal in asked}) == 60


def test_failures_are_no_centres() -> None:
    space = Bits(8)
    asked, state, centres = climb(
        LocalSearch(space=space), lambda g: -1 if g[0] else space.score(g), 120, window=2, seed=3
    )
    assert any(proposal.genome[0] for proposal in asked)
    assert not any(asked[centre[0]].genome[0] for centre in centres if centre)
    _, state, centres = climb(LocalSearch(space=space), lambda g: -1, 30)
    assert state.centre is None and not any(centres)


def test_refusals() -> None:
    with pytest.raises(UsageError, match="strategy.acceptance must be first or steepest"):
        LocalSearch(space=Bits(3), acceptance="greedy")  # type: ignore[arg-type]
    endless = Bits(3)
    endless.choices = (Real("rate", 0.0, 1.0),)  # type: ignore[assignment]
    with pytest.raises(UsageError, match="cannot list the neighbours along rate"):
        LocalSearch(space=endless).init(Random(0))
