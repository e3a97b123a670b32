"""Strategies as settings of strategies: what is recorded, and what a state's hint holds."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.errors import UsageError
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.identity import identity

BANDS = ("strategy=hyperband", "strategy.least_fidelity=1.0", "space=bits", "job=landscape")


def parts(*words: str) -> Parts:
    return assemble(compose([*BANDS, *words]).config)


def test_a_name_stands_for_all_settings_of_the_option() -> None:
    config = parts("strategy.proposer=regularized_evolution").config
    node = config["strategy"]["proposer"]
    assert node["_target_"] == "evonas_cli.strategies.regularized_evolution.RegularizedEvolution"
    assert node["population_size"] == 10 and "_window_" not in node
    assert identity(config)["strategy.proposer.sample_size"] == 3


def test_settings_stand_beside_the_name_and_what_is_recorded_gives_the_same() -> None:
    built = parts("strategy.proposer={name:regularized_evolution,population_size:20}")
    strategy: Any = built.strategy
    assert strategy.proposer.population_size == 20 and strategy.proposer.sample_size == 3
    again = assemble(built.config)
    assert identity(again.config) == identity(built.config)
    assert again.config == built.config


def test_the_proposers_state_is_stored_as_its_own_type() -> None:
    strategy: Any = parts("strategy.proposer=regularized_evolution").strategy
    state = strategy.init(Random(1))
    for _ in range(3):
        _, state = strategy.ask(state, Random(1))
    hint, space = state_hint(strategy), strategy.space
    text = json.dumps(encode(hint, state, space.to_json))
    restored = decode(hint, json.loads(text), space.from_json)
    assert restored == state
    assert type(restored[1]).__name__ == "Queue" and restored[1].asked == 3


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{population_size:20}", "it must be the name of a strategy, or name and settings"),
        ("{name:regularized_evolution,population:20}", "has no key population; did you mean population_size?"),
        ("{name:regularized_evolution,population_size:1}", "strategy.proposer: strategy.population_size must be"),
        ("{_target_:os.system}", "strategy.proposer: strategy._target_=os.system is outside evonas_cli.strategies"),
        ("nsga2,random", "strategy.proposer"),
    ],
)
def test_what_is_no_strategy_is_refused_in_one_line(value: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parts(f"strategy.proposer={value}")
    assert message in str(caught.value) and "\n" not in str(caught.value)
