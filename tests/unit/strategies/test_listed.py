"""Listed genomes: each is proposed as often as asked, in its order, and then the run is over."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.protocols import Confirming
from evonas_cli.core.types import Objective, Result
from evonas_cli.spaces.bits import Bits
from evonas_cli.strategies.listed import Listed

SPACE = Bits(3)
GENOMES = [[0, 1, 1], [1, 0, 1], [0, 1, 1]]


def listed(**given: Any) -> Listed[Any]:
    return Listed(**({"space": SPACE, "genomes": GENOMES} | given))


def test_each_genome_is_asked_for_as_often_as_wanted_and_then_nothing() -> None:
    strategy = listed(repeats=2)
    state, asked = strategy.init(Random(0)), []
    while True:
        proposals, state = strategy.ask(state, Random(0))
        if not proposals:
            break
        asked.append([list(proposal.genome) for proposal in proposals])
    assert asked == [[genome, genome] for genome in GENOMES]
    assert strategy.ask(state, Random(0)) == ([], state)


def test_repeats_have_seeds_of_their_own_and_are_no_copies() -> None:
    fold: Fold[Any] = Fold(listed(repeats=3), [Objective("loss", "min")], 0, 1, Budget(evaluations=9))
    candidates = fold.ask()
    assert len({candidate.seed for candidate in candidates}) == 3
    assert all(candidate.proposal.again for candidate in candidates)
    for candidate in candidates:
        fold.add(candidate, Result(candidate.id, "ok", {"loss": 0.5}))
    fold.tell()
    assert fold.told_evaluations == 3


def test_it_says_how_many_candidates_it_confirms() -> None:
    strategy = listed(repeats=4)
    assert isinstance(strategy, Confirming) and strategy.confirmations == 12


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"genomes": []}, "strategy.genomes is empty"),
        ({"genomes": [[0, 1, 1], [0, 1]]}, r"strategy.genomes\[1\] is no genome of Bits with these settings"),
        ({"genomes": [None]}, r"strategy.genomes\[0\] is no genome of Bits"),
        ({"repeats": 0}, "strategy.repeats"),
    ],
)
def test_wrong_settings_are_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        listed(**given)
