"""Hyperparameters as genes: ranges from YAML, the fixed network, and settings that reach the training."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from statistics import fmean
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.spaces.hyperparameters import Hyperparameters

GENES: dict[str, Any] = {
    "learning_rate": {"low": 1e-4, "high": 1.0, "log": True, "points": 5},
    "momentum": {"low": 0.0, "high": 0.9},
    "batch_size": {"options": [16, 32, 64]},
    "epochs": {"low": 1, "high": 4, "integer": True},
    "optimizer": {"options": ["sgd", "adamw"]},
    "nesterov": {"options": [False, True]},
}


def test_every_kind_of_gene() -> None:
    space, rng = Hyperparameters(GENES), Random(0)
    genomes = [space.sample(rng) for _ in range(2000)]
    rates, momenta, sizes, epochs, optimizers, flags = zip(*genomes, strict=True)
    assert 1e-4 <= min(rates) < 2e-4 and 0.5 < max(rates) <= 1.0
    assert 0.48 < fmean(rate < 1e-2 for rate in rates) < 0.52, "uniform in the logarithm"
    assert 0.4 < fmean(momenta) < 0.5
    assert set(sizes) == {16, 32, 64} and set(epochs) == {1, 2, 3, 4}
    assert set(optimizers) == {"sgd", "adamw"} and {type(flag) for flag in flags} == {bool}
    assert space.from_json(space.to_json(genomes[0])) == genomes[0]


def test_the_network_is_two_convolutions_and_two_linear_layers() -> None:
    space = Hyperparameters(GENES, channels=(32, 64), hidden=128, dropout=0.5)
    decoded = space.decode(space.sample(Random(1)), Task((1, 28, 28), 10))
    operations = [node.op for node in decoded.plan.nodes[1:]]
    assert operations == (
        ["conv", "relu", "conv", "relu", "max_pool", "flatten"] + ["dropout", "linear", "relu", "dropout", "linear"]
    )
    assert decoded.plan.parameters == (9 * 32 + 32) + (9 * 32 * 64 + 64) + (64 * 14 * 14 * 128 + 128) + (128 * 10 + 10)
    assert list(decoded.hyper) == list(GENES)
    with pytest.raises(PlanError, match="channels, height, width"):
        space.decode(space.sample(Random(1)), Task((64,), 10))


@pytest.mark.parametrize(
    ("genes", "message"),
    [
        ({}, r"space\.genes is empty"),
        ({"learning_rate": 3}, r"space\.genes\.learning_rate is 3; it takes options, or low and high"),
        ({"learning_rate": {"low": 1.0}}, r"space\.genes\.learning_rate needs low and high"),
        ({"learning_rate": {"low": 1.0, "high": 0.1}}, "the lower end 1.0 is above the upper end 0.1"),
        ({"learning_rate": {"low": 0.0, "high": 1.0, "log": True}}, "a logarithmic range must lie above 0"),
        ({"learning_rate": {"low": float("nan"), "high": 1.0}}, "an end that is no finite number"),
        ({"learning_rate": {"low": 0.0, "high": float("inf")}}, "an end that is no finite number"),
        ({"epochs": {"low": 1.5, "high": 3, "integer": True}}, "whole numbers"),
        ({"epochs": {"low": 1, "high": 3, "integer": True, "points": 2}}, "a whole range lists all its numbers"),
        ({"learning_rate": {"low": 0.1, "high": 1.0, "points": 1}}, "a grid takes at least 2"),
        ({"learning_rate": {"low": 0.1, "high": 1.0, "log": "yes"}}, "log and integer are true or false"),
        ({"optimizer": {"options": []}}, "has no options"),
        ({"optimizer": {"options": ["sgd", "sgd"]}}, "lists an option twice"),
        ({"optimizer": {"options": "sgd"}}, "options is a list and goes with nothing else"),
        ({"optimizer": {"options": [None]}}, "options are numbers, words, true and false"),
        ({"learning_rate": {"low": 0.1, "hgih": 1.0}}, "it takes options, or low and high"),
    ],
)
def test_ranges_that_are_none(genes: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        Hyperparameters(genes)
    assert "\n" not in str(caught.value) and "space.genes" in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["space.genes.momentum.high=1.0"], r"trainer\.momentum is 1.0; it must be a number from 0 to below 1"),
        (["space.genes.learning_rate.low=0", "space.genes.learning_rate.log=false"], r"trainer\.learning_rate is 0"),
        (["space.genes.learning_rate.low=0"], "a logarithmic range must lie above 0"),
        (["space.hidden=0"], r"space\.hidden"),
        (["space.channels=[8]"], r"space\.channels must be two numbers"),
        (["space.dropout=1.0"], r"space\.dropout must be in \[0, 1\)"),
    ],
)
def test_what_the_trainer_does_not_take_is_refused_at_the_start(overrides: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        assemble(compose(["space=hyperparameters", "strategy=random", *overrides]).config)


def test_a_gene_that_is_no_trainer_key(compose_parts: Callable[..., Parts]) -> None:
    config = compose(["space=hyperparameters", "strategy=random"]).config
    config["space"]["genes"]["learning_rat"] = config["space"]["genes"].pop("learning_rate")
    with pytest.raises(UsageError, match=r"trainer\.learning_rat, which does not exist; did you mean learning_rate\?"):
        assemble(config)


def test_whole_ends_give_the_same_genes_before_and_after_json() -> None:
    space = Hyperparameters({"momentum": {"low": 0, "high": 0}, "clip_norm": {"low": 1, "high": 2}})
    for seed in range(20):
        genome = space.sample(Random(seed))
        assert [type(gene) for gene in genome] == [float, float]
        assert repr(space.from_json(space.to_json(genome))) == repr(genome)
