"""Every configured strategy keeps the contract of Strategy on every configured space that it can serve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evonas_cli.config.build import build, spaces
from evonas_cli.config.folders import options
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Proposal
from evonas_cli.run.serving import trusted
from evonas_cli.spaces.bits import Bits
from evonas_cli.testing import strategies as contract

NODES = trusted("strategy", (), ())


QUICK = {"candidates": 8, "epochs": 3, "replays": 5, "walks": 4, "neighbours": 1, "coldest": 0.95}
"""Smaller pools and shorter trainings and replays of what a strategy itself learns keep the same laws."""
SLOW = {"otmann": ("mlp",)}
"""Spaces for kernels that take a tenth of a millisecond and more for a pair, with few steps by the model."""


def configured(name: str, space: Any) -> Any:
    node = NODES[name]
    if name == "listed":
        genomes = [space.to_json(space.sample(stream(0, "listed", n))) for n in range(60)]
        node = {**node, "genomes": genomes, "repeats": 3}
    quick = {key: value for key, value in QUICK.items() if key in node}
    if node.get("kernel") in SLOW:
        quick |= {"initial": 50, "candidates": 4}
    if "derive" in node:  # enough candidates for laws on runs of 120, and all stages within 30 steps
        quick = {"epochs": 6, "derive": 10, "audit": 100}
    return build({**node, **quick}, "strategy", space=space)


def pairs() -> dict[tuple[str, str], tuple[Any, Any]]:
    """Strategy and space by their names, where one serves the other."""
    found, built = {}, spaces()
    for name in options("strategy"):
        for label, space in built.items():
            if label not in SLOW.get(NODES[name].get("kernel"), (label,)):
                continue
            strategy = configured(name, space)
            if contract.serves(strategy, space):
                found[name, label] = strategy, space
    return found


PAIRS = pairs()
KINDS = {(name, contract.kind_of(space)): (name, label) for (name, label), (_, space) in PAIRS.items()}


def test_every_strategy_serves_some_space() -> None:
    assert {name for name, _ in PAIRS} == set(options("strategy"))
    assert {kind for _, kind in KINDS} >= {"linear", "modular", "walkable"}


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("law", contract.LAWS)
def test_the_law_holds(law: Callable[[Any, Any], None], pair: tuple[str, str]) -> None:
    law(*PAIRS[pair])


@pytest.mark.parametrize("pair", sorted(KINDS.values()), ids="-".join)
@pytest.mark.parametrize("law", contract.LAWS_ON_DISK)
def test_runs_keep_the_law(law: Callable[[Any, Any, Path], None], pair: tuple[str, str], tmp_path: Path) -> None:
    law(*PAIRS[pair], tmp_path)


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
