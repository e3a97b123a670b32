"""Every configured strategy keeps the contract of Strategy on every configured space that it can serve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from strategy_pairs import KINDS, PAIRS

from evonas_cli.config.folders import options
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Proposal
from evonas_cli.spaces.bits import Bits
from evonas_cli.testing import strategies as contract


def test_every_strategy_serves_some_space() -> None:
    assert {name for name, _ in PAIRS} == set(options("strategy"))
    assert {kind for _, kind in KINDS} >= {"linear", "modular", "walkable"}


LONGEST = contract.state_survives_the_codec_at_every_step


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("law", [law for law in contract.LAWS if law is not LONGEST])
def test_the_law_holds(law: Callable[[Any, Any], None], pair: tuple[str, str]) -> None:
    law(*PAIRS[pair])


@pytest.mark.parametrize("pair", sorted(KINDS.values()), ids="-".join)
def test_states_survive_the_codec(pair: tuple[str, str]) -> None:
    """On a space of each kind, since states differ by the kind alone."""
    LONGEST(*PAIRS[pair])


@dataclass(frozen=True)
class Loose:
    """Proposes half trainings, which its demands do not name."""

    space: Any
    demands: Demands = Demands()
    least_evaluations: int = 1

    def init(self, rng: Random) -> int:
        return 0

    def ask(self, state: int, rng: Random) -> Any:
        return [Proposal(self.space.sample(rng), fidelity=0.5)], state

    def tell(self, state: int, told: Any, rng: Random) -> int:
        return state

    def population(self, state: int) -> tuple[int, ...]:
        return ()


def test_a_strategy_whose_proposals_exceed_its_demands_is_found() -> None:
    with pytest.raises(UsageError, match="candidate 0 asks for fidelity"):
        contract.proposals_are_what_the_demands_say(Loose(Bits(6)), Bits(6))
    with pytest.raises(AssertionError, match="fidelity 0.5 is not in the demands"):
        loose = Loose(Bits(6), Demands(fidelities=(0.25, 1.0)))
        contract.proposals_are_what_the_demands_say(loose, Bits(6))


def test_the_generators_state_is_all_that_differs_between_streams() -> None:
    assert stream(1, "ask", 2).random() == stream(1, "ask", 2).random()
    assert stream(1, "ask", 2).random() != stream(1, "tell", 2).random()
    assert isinstance(stream(1, "ask"), Random)
