"""The genomes with which the search of an auto begins belong to its space, and are like the plain network."""

from __future__ import annotations

from itertools import pairwise

import pytest

from evonas_cli.auto.beginnings import beginnings
from evonas_cli.auto.kinds import fitting
from evonas_cli.auto.planning import _search_words
from evonas_cli.auto.request import Request
from evonas_cli.config.build import build
from evonas_cli.config.compose import compose
from evonas_cli.core.rng import stream
from evonas_cli.network.baselines import baseline
from evonas_cli.network.task import Task
from evonas_cli.run.assembly import assemble
from evonas_cli.run.starting import OPERATOR
from evonas_cli.testing.spaces import IMAGES, SERIES, TEXTS, VECTORS

SMALL, LARGE = IMAGES
TASKS = (SMALL, LARGE, SERIES[0], TEXTS[0], VECTORS[0])


@pytest.mark.parametrize("task", TASKS, ids=["small", "large", "series", "texts", "vectors"])
def test_the_search_begins_with_them(task: Task) -> None:
    parts = assemble(compose([*_search_words(Request("digits", 600.0), task), "dataset=digits"]).config)
    assert parts.started is not None
    proposals, _ = parts.started.ask(parts.started.init(stream(0, "init")), stream(0, "ask"))
    begun = [one.genome for one in proposals if one.operator == OPERATOR]
    assert [parts.space.to_json(genome) for genome in begun] == beginnings(task)


@pytest.mark.parametrize("task", [SERIES[0], TEXTS[0]], ids=["series", "texts"])
def test_sequences_begin_with_the_plain_network_itself(task: Task) -> None:
    space = build(compose(fitting(task)).config["space"], "space")
    [genome] = beginnings(task)
    assert space.decode(space.from_json(genome), task).plan == baseline(task)


def test_vectors_begin_with_as_many_parameters_as_the_plain_network() -> None:
    space = build(compose(fitting(VECTORS[0])).config["space"], "space")
    [genome] = beginnings(VECTORS[0])
    assert space.decode(space.from_json(genome), VECTORS[0]).plan.parameters == baseline(VECTORS[0]).parameters


def test_chains_for_images_double_their_filters() -> None:
    for chain in beginnings(LARGE):
        assert isinstance(chain, list)
        assert all(2 * block[0]["filters"] == following[0]["filters"] for block, following in pairwise(chain))


@pytest.mark.parametrize("override", ["space.max_filters=32", "space=chain_cnn", "strategy=random"])
def test_what_the_user_sets_begins_at_random(override: str) -> None:
    words = _search_words(Request("digits", 600.0, overrides=(override,)), SMALL)
    assert not any(word.startswith("start_from") for word in words)
