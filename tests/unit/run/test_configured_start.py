"""`start_from=auto`: searches for settings of the trainer begin with the configured ones and neighbours of them."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Genes
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.spaces.hyperparameters import Hyperparameters

OWN = {"learning_rate": 0.03, "momentum": 0.8, "weight_decay": 0.001}
WORDS = ("space=hyperparameters", "job=train", *(f"trainer.{key}={value}" for key, value in OWN.items()))


def parts_of(*words: str) -> Parts:
    given = {word.partition("=")[0] for word in words}
    return assemble(compose([*(word for word in WORDS if word.partition("=")[0] not in given), *words]).config)


def first(parts: Parts) -> list[Any]:
    assert parts.started is not None
    proposals, _ = parts.started.ask(parts.started.init(stream(0, "init")), stream(0, "ask"))
    return [(proposal.operator, parts.space.to_json(proposal.genome)) for proposal in proposals]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("strategy=nsga2",), 6),
        (("strategy=random", "strategy.batch=8"), 1),
        (("strategy=genetic", "strategy.population_size=40"), 6),
        (("strategy=nsga2", "start_best=9"), 9),
        (("strategy=nsga2", "start_best=1"), 1),
    ],
)
def test_the_first_candidates_are_the_configured_settings_and_neighbours(words: tuple[str, ...], count: int) -> None:
    parts = parts_of(*words)
    given = parts.config["start_from"]["genomes"]
    assert given[0] == OWN and len(given) == count
    assert all(other[key] != value for other in given[1:] for key, value in OWN.items())
    assert all(isclose(other["momentum"], OWN["momentum"], abs_tol=0.25) for other in given[1:])
    begun = first(parts)
    assert begun[:count] == [("start", genome) for genome in given]
    assert {operator for operator, _ in begun[count:]} <= {"sample"}


def test_neighbours_follow_from_the_seed() -> None:
    one, same, other = (parts_of(f"seed={seed}").config["start_from"]["genomes"] for seed in (1, 1, 2))
    assert one == same and one[0] == other[0] and one[1:] != other[1:]


@pytest.mark.parametrize(
    "words",
    [
        ("start_from=null",),
        ("trainer.learning_rate=2.0",),
        ("strategy=evograd",),
        ("space=mlp",),
        ("strategy=listed", f"strategy.genomes=[{{{','.join(f'{key}:{value}' for key, value in OWN.items())}}}]"),
    ],
)
def test_none_is_given(words: tuple[str, ...]) -> None:
    parts = parts_of(*words)
    assert parts.config["start_from"] is None and parts.started is None


def test_a_space_of_one_genome_is_given_it_once() -> None:
    parts = parts_of("space.genes={momentum:{options:[0.8]}}", "strategy=random")
    assert parts.config["start_from"]["genomes"] == [{"momentum": 0.8}]


def test_settings_of_a_fixed_network_have_its_rate_of_dropout() -> None:
    parts = parts_of("space=fixed_network")
    own = {**OWN, "batch_size": 64, "dropout": 0.2}
    assert parts.config["start_from"]["genomes"][0] == own


def test_what_was_given_is_part_of_a_configuration_that_gives_the_same_again() -> None:
    config = parts_of("strategy=nsga2").config
    again = assemble(config)
    assert again.config == config and first(again) == first(parts_of("strategy=nsga2"))


class Raising(Hyperparameters):
    def default(self, trainer: Mapping[str, Json]) -> Genes | None:
        raise KeyError("rate")


class Unwritable(Hyperparameters):
    def default(self, trainer: Mapping[str, Json]) -> Genes | None:
        return (0.1,)


@pytest.mark.parametrize(
    ("name", "text"), [("Raising", r"test_configured_start.py:\d+ in Raising.default"), ("Unwritable", "ValueError")]
)
def test_a_space_whose_default_fails_is_named(name: str, text: str) -> None:
    config = compose(WORDS).config
    config["space"] = {**config["space"], "_target_": f"{__name__}.{name}"}
    with pytest.raises(UsageError, match=f"space {name}: default: {text}"):
        assemble(config, allowed=(__name__,))
