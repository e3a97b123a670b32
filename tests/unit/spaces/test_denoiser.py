"""Denoisers give noise in the shape of what they read, with the time in the places that their genes say."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.network.denoiser import Denoiser, with_time
from evonas_cli.network.op import Shape
from evonas_cli.network.plan import Graph, PlanError
from evonas_cli.spaces.denoiser import Denoisers


@pytest.mark.parametrize("inputs", [(2,), (7,), (1, 8, 8), (1, 28, 28), (3, 9, 13)])
def test_a_denoiser_gives_what_it_reads_without_the_time(inputs: Shape) -> None:
    space, rng = Denoisers(), Random(3)
    for _ in range(40):
        found = space.decode_denoiser(space.sample(rng), inputs)
        assert found.plan.shapes[0] == with_time(inputs, found.features)
        assert found.plan.shapes[found.plan.output] == inputs
        assert found.sample_multiply_adds == found.steps * found.plan.multiply_adds


def test_layers_read_the_time_again_where_the_gene_says_so() -> None:
    space = Denoisers(widths=[16], depths=[3], normalisations=["none"], features=[8], steps=[5], schedules=["cosine"])
    for inputs, readers in (((2,), 3), ((1, 8, 8), 4)):
        for time in ("input", "layers"):
            genome = (16, 3, "relu", "none", 8, time, "cosine", 5)
            plan = space.decode_denoiser(genome, inputs).plan
            fed = {0} | {at for at, node in enumerate(plan.nodes) if node.op == "avg_pool" and node.inputs[0] == 0}
            count = sum(bool(fed & set(node.inputs)) for node in plan.nodes if node.op != "avg_pool")
            assert count == (1 if time == "input" else readers)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"steps": [0]}, "space.steps must be whole numbers of at least 1"),
        ({"steps": [10, 10]}, "space.steps lists an option twice"),
        ({"widths": [30]}, "space.widths must be multiples of 4; 30 is none"),
        ({"features": [3]}, "space.features: time features must be 1 or an even number above 0; they are 3"),
        ({"schedules": ["quadratic"]}, "space.schedules may be linear, cosine; 'quadratic' is none of them"),
    ],
)
def test_options_that_are_none_are_refused(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError) as refused:
        Denoisers(**settings)
    assert str(refused.value).startswith(line)


def test_inputs_without_a_denoiser_are_refused() -> None:
    space = Denoisers(depths=[3])
    genome = space.sample(Random(0))
    for inputs in ((3, 20), (1, 2, 2)):
        with pytest.raises(PlanError):
            space.decode_denoiser(genome, inputs)
    plan = Graph((3,)).plan(0)
    for schedule, steps, features in (("cosine", 0, 1), ("none", 5, 1), ("cosine", 5, 3), ("cosine", 5, 1)):
        with pytest.raises(PlanError):
            Denoiser(plan, schedule, steps, features)
