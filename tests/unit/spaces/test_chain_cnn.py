"""Chains of convolutions: the walk, the network by hand, links, padding, JSON, and what is refused."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Buildable, Deepening, Linear, Measured, Mutable, Walkable
from evonas_cli.genomes.walk import Decision, run
from evonas_cli.network.plan import Plan, PlanError
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.spaces.chain_cnn import Chain, ChainCnn, Layer

TASK = Task((3, 9, 8), 10)


def layer(inputs: tuple[int, ...] = (), filters: int = 24, kernel: Any = (3, 3), stride: Any = (1, 1)) -> Layer:
    return Layer(*kernel, *stride, filters, inputs)


def ops(plan: Plan) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    return [(node.op, node.inputs, shape) for node, shape in zip(plan.nodes, plan.shapes, strict=True)]


def test_capabilities() -> None:
    space = ChainCnn()
    for capability in (Space, Buildable, Mutable, Measured, Walkable, Deepening):
        assert isinstance(space, capability)
    assert not isinstance(space, Linear)


def test_the_walk_asks_layer_by_layer_and_leaves_out_what_has_one_option() -> None:
    asked: list[Decision] = []

    def first(decision: Decision) -> int:
        asked.append(decision)
        return 0

    run(ChainCnn(layers=2).walk(), first)
    names = ["filter_height", "filter_width", "filters", "anchor"]
    assert [decision.kind for decision in asked] == names * 2
    assert [decision.links for decision in asked] == [None, None, None, 0, None, None, None, 1]
    asked.clear()
    run(ChainCnn(layers=2, strides=(1, 2), skips=False).walk(), first)
    assert [decision.kind for decision in asked] == [
        "filter_height", "filter_width", "stride_height", "stride_width", "filters"
    ] * 2  # fmt: skip


def test_the_network_by_hand() -> None:
    """Layers 0 and 1 read the image; 2 reads both, 1 being smaller; 2 and 3 are read by nobody; 3 is smaller."""
    genome = (layer(), layer(stride=(2, 1)), layer((0, 1), 36), layer((1,), 48, (7, 1), (1, 2)))
    plan = ChainCnn(layers=4, strides=(1, 2)).decode(genome, TASK).plan
    assert ops(plan) == [
        ("input", (), (3, 9, 8)),
        ("conv", (0,), (24, 9, 8)),
        ("batch_norm", (1,), (24, 9, 8)),
        ("relu", (2,), (24, 9, 8)),
        ("conv", (0,), (24, 5, 8)),
        ("batch_norm", (4,), (24, 5, 8)),
        ("relu", (5,), (24, 5, 8)),
        ("pad", (6,), (24, 9, 8)),
        ("concat", (3, 7), (48, 9, 8)),
        ("conv", (8,), (36, 9, 8)),
        ("batch_norm", (9,), (36, 9, 8)),
        ("relu", (10,), (36, 9, 8)),
        ("conv", (6,), (48, 5, 4)),
        ("batch_norm", (12,), (48, 5, 4)),
        ("relu", (13,), (48, 5, 4)),
        ("pad", (14,), (48, 9, 8)),
        ("concat", (11, 15), (84, 9, 8)),
        ("global_avg_pool", (16,), (84,)),
        ("linear", (17,), (10,)),
    ]
    numbers = dict(plan.nodes[12].params)
    assert [numbers[key] for key in ("kernel_h", "kernel_w", "stride_h", "stride_w")] == [7, 1, 1, 2]


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([(1, 8, 8), (3, 5, 9), (1, 1, 1)]))
def test_every_chain_is_a_network_that_runs(seed: int, shape: tuple[int, int, int]) -> None:
    space = ChainCnn(layers=3, filters=(2, 3), strides=(1, 2, 3))
    plan = space.decode(space.sample(Random(seed)), Task(shape, 4)).plan
    module = Network(plan, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        assert module(torch.zeros(2, *shape)).shape == (2, 4)


def test_without_skips_it_is_a_plain_chain() -> None:
    space = ChainCnn(layers=3, skips=False)
    genome = space.sample(Random(0))
    assert [one.inputs for one in genome] == [(), (0,), (1,)]
    assert "concat" not in {node.op for node in space.decode(genome, TASK).plan.nodes}


def test_links_are_fair_coins() -> None:
    space, rng = ChainCnn(layers=3), Random(0)
    counts = Counter(link for _ in range(2000) for link in space.sample(rng)[2].inputs)
    assert all(abs(counts[link] - 1000) < 110 for link in (0, 1))


def test_json_reads_as_people_do() -> None:
    space = ChainCnn(layers=2)
    data = space.to_json((layer(), layer((0,), 64, (5, 7))))
    assert data[1] == {  # type: ignore[index,call-overload]
        "filter_height": 5, "filter_width": 7, "stride_height": 1, "stride_width": 1, "filters": 64, "inputs": [0]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        (0, {"filters": 25}, "layer 0: filters is 25"),
        (0, {"stride_width": 2}, "layer 0: stride_width is 2"),
        (1, {"inputs": [1]}, "layer 1: inputs must be earlier layers"),
        (2, {"inputs": [1, 0]}, "in ascending order"),
        (2, {"inputs": [0, 0]}, "layer 2: inputs"),
        (1, {"inputs": 0}, "layer 1: inputs"),
        (0, {"depth": 3}, "layer 0 must be an object of"),
    ],
)
def test_layers_that_are_none(place: int, change: dict[str, Any], message: str) -> None:
    space = ChainCnn(layers=3)
    data: Any = space.to_json((layer(), layer((0,)), layer((0, 1))))
    assert space.from_json(data)[2].inputs == (0, 1)
    data[place].update(change)
    with pytest.raises(ValueError, match=message):
        space.from_json(data)


def test_chains_of_other_lengths_and_without_skips() -> None:
    data: Any = ChainCnn(layers=3).to_json((layer(), layer(), layer()))
    assert len(ChainCnn(layers=4).from_json(data)) == 3
    with pytest.raises(ValueError, match="1 to 2 layers"):
        ChainCnn(layers=2).from_json(data)
    with pytest.raises(ValueError, match=r"layer 1: without space\.skips"):
        ChainCnn(layers=3, skips=False).from_json(data)


@given(st.integers(0, 10**6), st.integers(1, 4))
def test_a_mutation_changes_one_setting_or_link_and_no_length(seed: int, depth: int) -> None:
    space, rng = ChainCnn(layers=4, strides=(1, 2)), Random(seed)
    genome: Chain = run(space.walk_to(depth), lambda decision: rng.randrange(2) if decision.links is None else 0)[0]
    mutant = space.mutate(genome, rng)
    features = 5 * depth + depth * (depth - 1) // 2
    assert len(mutant) == depth
    assert space.distance(genome, mutant) == pytest.approx(1 / features)


def test_distance_counts_layers_that_one_lacks() -> None:
    space = ChainCnn(layers=2)
    assert space.distance((layer(),), (layer(), layer())) == pytest.approx(6 / 11)


def test_tasks_without_maps_have_no_network() -> None:
    with pytest.raises(PlanError, match="chain_cnn needs"):
        ChainCnn().decode((layer(),), Task((20,), 2))


@pytest.mark.parametrize(
    "refused", [{"layers": 0}, {"filters": ()}, {"filters": (24, 24)}, {"filter_heights": (0, 3)}, {"strides": (1.5,)}]
)
def test_settings_that_are_refused(refused: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"space.{next(iter(refused))} must be"):
        ChainCnn(**refused)
