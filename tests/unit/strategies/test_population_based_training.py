"""Population-based training: everybody trains on, the worst with a copy of one of the best."""

from __future__ import annotations

from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.genomes.choices import Genes
from evonas_cli.spaces.bits import Bits
from evonas_cli.strategies.population_based_training import PopulationBasedTraining


def strategy(**settings: Any) -> PopulationBasedTraining[Genes]:
    return PopulationBasedTraining(**({"space": Bits(30), "population_size": 10, "generations": 4} | settings))


def steps(searching: PopulationBasedTraining[Genes], fails: Any = lambda id: False) -> list[list[Proposal[Genes]]]:
    """All asks of a run in which a candidate's loss is its id."""
    state, found, next_id = searching.init(stream(1, "init")), [], 0
    while True:
        asked, state = searching.ask(state, stream(1, "ask", len(found)))
        if not asked:
            return found
        told = [Evaluation(id, p.genome, None if fails(id) else (float(id),)) for id, p in enumerate(asked, next_id)]
        next_id += len(asked)
        state = searching.tell(state, told, stream(1, "tell", len(found)))
        succeeded = [e.id for e in told if e.losses is not None]
        assert searching.population(state)[: len(succeeded)] == tuple(succeeded)
        found.append(asked)


def test_each_generation_trains_its_share() -> None:
    found = steps(strategy())
    assert [{proposal.fidelity for proposal in asked} for asked in found] == [{0.25}, {0.5}, {0.75}, {1.0}]
    assert [len(asked) for asked in found] == [10] * 4
    assert {(p.continues, p.operator) for p in found[0]} == {(None, "sample")}


def test_the_worst_go_on_with_one_of_the_best() -> None:
    first, second, *_ = steps(strategy(mutation="redraw", mutation_probability=1.0))
    moved = [p for p in second if p.operator != "train_on"]
    stayed = [p for p in second if p.operator == "train_on"]
    assert len(moved) == 2 and {p.continues for p in moved} <= {0, 1}
    assert sorted(p.continues for p in stayed if p.continues is not None) == list(range(8))
    assert all(p.genome == first[p.continues or 0].genome and p.parents == (p.continues,) for p in stayed)
    assert all(p.operator == "exploit+mutation" and p.genome != first[p.continues or 0].genome for p in moved)


def test_the_failed_never_hand_on_and_where_all_fail_samples_follow() -> None:
    asked = steps(strategy(), lambda id: id % 2 == 0)[1]
    assert all(p.continues is not None and p.continues % 2 for p in asked)
    assert {p.operator for p in steps(strategy(), lambda id: id < 10)[1]} == {"sample"}


def test_it_demands_a_training_in_shares_and_a_space_of_settings() -> None:
    demands = strategy().demands
    assert (demands.fidelities, demands.stages, demands.window) == ((0.25, 0.5, 0.75, 1.0), 4, 1)
    assert demands.honoured == ("fidelity", "continues")
    assert [need.__name__ for need in demands.space] == ["Linear", "Tuning"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"population_size": 1},
        {"generations": 0},
        {"exploit_fraction": 0.6},
        {"mutation": "stepp"},
        {"mutation_scale": 0},
        {"mutation_probability": 2},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"strategy.{next(iter(wrong))}"):
        strategy(**wrong)
