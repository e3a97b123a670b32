"""The layered space: its networks, what is refused, and that children by chains of morphs compute the same."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.blocks import Layer
from evonas_cli.network.morphs.morph import Morph
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.nn.inherit.replay import check_same, replay, residual
from evonas_cli.spaces.layered_cnn import LayeredCnn

SPACE = LayeredCnn()
DIGITS = Task((1, 8, 8), 10)


def ops(genome: Any, task: Task = DIGITS) -> list[str]:
    return [node.op for node in SPACE.decode(genome, task).plan.nodes[1:]]


def test_the_start_network_by_hand() -> None:
    layer = ["conv", "batch_norm", "relu"]
    assert ops(SPACE.start()) == [*layer, "max_pool", *layer, "global_avg_pool", "linear"]
    assert SPACE.decode(SPACE.start(), DIGITS).plan.parameters == 9 * 8 + 16 + 9 * 64 + 16 + 90


def test_the_published_start_network_needs_sixteen_pixels() -> None:
    published = LayeredCnn(blocks=5, max_filters=512, start_blocks=5, start_filters=128)
    plan = published.decode(published.start(), Task((3, 16, 16), 2)).plan
    assert [node.op for node in plan.nodes].count("max_pool") == 4
    assert plan.shapes[-2] == (128,)
    with pytest.raises(PlanError):
        published.decode(published.start(), DIGITS)


def test_skips_and_separable_layers_by_hand() -> None:
    block = (Layer(4, 3), Layer(6, 3, separable=True, skip="add", source=0), Layer(2, 1, skip="concat", source=1))
    layer = ["conv", "batch_norm"]
    assert ops((block,)) == [
        *(*layer, "relu"),
        *("conv", *layer, "conv", "add", "relu"),
        *(*layer, "relu", "concat", "global_avg_pool", "linear"),
    ]
    assert SPACE.decode((block,), DIGITS).plan.shapes[-2] == (8,)


@pytest.mark.parametrize("seed", range(5))
def test_grandchildren_compute_what_the_start_network_computes(seed: int) -> None:
    rng, genome, morphs = Random(seed), SPACE.start(), []
    for _ in range(6):
        child = SPACE.grow(genome, rng)
        assert child is not None
        genome, morphs = child.genome, [*morphs, *map(Morph.from_json, child.morphs)]
    plan, x = SPACE.decode(SPACE.start(), DIGITS).plan, torch.rand(32, 1, 8, 8, dtype=torch.float64)
    net = Network(plan, torch.Generator().manual_seed(seed)).double()
    with torch.no_grad():
        net(x)
    weights = {key: value.detach() for key, value in net.state_dict().items()}
    after, found = replay(plan, weights, morphs, torch.Generator().manual_seed(1), x)
    check_same(after, SPACE.decode(genome, DIGITS).plan)
    assert after.parameters > plan.parameters
    assert residual(plan, weights, after, found, x) < 1e-11


def test_growth_ends_at_the_limits() -> None:
    small = LayeredCnn(blocks=1, layers=1, filters=[4], max_filters=4, kernels=[3], start_blocks=1, start_filters=4)
    assert small.grow(small.start(), Random(0)) is None
    assert small.shrink(small.start(), Random(0)) is not None
    assert small.mutate(small.start(), Random(0)) != small.start()


def test_no_genome_has_fewer_than_the_least_blocks() -> None:
    space, rng = LayeredCnn(blocks=4, start_blocks=3, least_blocks=3), Random(0)
    genomes = [space.sample(rng) for _ in range(20)]
    genomes += [space.mutate(space.recombine(rng.sample(genomes, 2), rng), rng) for _ in range(40)]
    assert {len(genome) for genome in genomes} == {3, 4}
    with pytest.raises(ValueError, match="3 to 4 blocks"):
        space.from_json(space.to_json(genomes[0][:2]))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"blocks": 0}, "space.blocks must be a whole number of at least 1"),
        ({"start_blocks": 3}, "space.start_blocks=3 exceeds space.blocks=2"),
        ({"least_blocks": 2, "start_blocks": 1}, "space.least_blocks=2 exceeds space.start_blocks=1"),
        ({"filters": []}, "space.filters must be different whole numbers"),
        ({"filters": [128]}, "space.filters go up to 128, above space.max_filters=64"),
        ({"kernels": [2, 3]}, "space.kernels must be odd"),
        ({"kernels": [1]}, "space.kernels must be odd"),
        ({"skips": 1}, "space.skips must be true or false"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        LayeredCnn(**settings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"filters": 65}, "filters must be 1 to 64"),
        ({"kernel": 4}, "kernel must be odd"),
        ({"separable": 1}, "separable must be true or false"),
        ({"skip": "gate"}, "skip must be one of none, add, concat"),
        ({"skip": "add"}, "source must be an earlier layer"),
        ({"source": 1}, "source must be an earlier layer"),
        ({"depth": 1}, "must be an object of"),
    ],
)
def test_layers_out_of_range_are_no_genome(change: dict[str, Any], words: str) -> None:
    data: Any = SPACE.to_json(SPACE.start())
    with pytest.raises(ValueError, match=words):
        SPACE.from_json([[{**data[0][0], **change}]])
