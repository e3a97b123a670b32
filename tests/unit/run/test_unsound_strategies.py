"""A user's strategy that breaks its contract is refused before the first training, in one line."""

from __future__ import annotations

import random
from random import Random
from typing import Any

import pytest
from sound_parts import Numbers, Search, refusal

from evonas_cli.core.types import Proposal


class Unannotated(Search):
    def init(self, rng: Random):  # type: ignore[no-untyped-def]
        return ()


class WrongState(Search):
    def init(self, rng: Random) -> tuple[int, ...]:
        return ("a",)  # type: ignore[return-value]


class ListForTuple(Search):
    def init(self, rng: Random) -> tuple[int, ...]:
        return []  # type: ignore[return-value]


class Stateful(Search):
    asked = 0

    def ask(self, state: Any, rng: Random) -> Any:
        self.asked += 1
        return [Proposal(self.asked)], state


class GlobalAsks(Search):
    def ask(self, state: Any, rng: Random) -> Any:
        return [Proposal(random.random())], state


class NoList(Search):
    def ask(self, state: Any, rng: Random) -> Any:
        return Proposal(3)


class Unwritable(Search):
    def ask(self, state: Any, rng: Random) -> Any:
        return [Proposal({3})], state


class Forgetting(Search):
    def tell(self, state: Any, told: Any, rng: Random) -> Any:
        pass


class FailuresAsParents(Search):
    def tell(self, state: Any, told: Any, rng: Random) -> Any:
        return min(told, key=lambda each: each.losses[0])


class Members(Search):
    def population(self, state: Any) -> Any:
        return list(state)


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        (Unannotated, "Unannotated.init does not annotate the state it returns"),
        (WrongState, "init gave a state of type tuple, which cannot be stored"),
        (ListForTuple, "init gave a state that is another one when it is read back: [] became ()"),
        (Stateful, "strategy Stateful does not depend on its state and its generator alone"),
        (GlobalAsks, "strategy GlobalAsks does not depend on its state and its generator alone"),
        (NoList, "strategy NoList: ask must return a list of Proposal and the state, but gave Proposal("),
        (Unwritable, "which JSON cannot hold"),
        (Forgetting, "strategy Forgetting: tell gave a state of type NoneType"),
        (
            FailuresAsParents,
            "strategy FailuresAsParents: tell, of 3 failed candidates: test_unsound_strategies.py:",
        ),
        (Members, "strategy Members: population must return a tuple of ids, but gave [0, 1, 2]"),
    ],
)
def test_a_strategy_that_breaks_its_contract_is_refused(strategy: Any, said: str) -> None:
    assert said in refusal(Numbers(), strategy(Numbers()))
