"""Which units go together, and that a network without units gives what masking them gives."""

from __future__ import annotations

from random import Random
from typing import Any

import plans
import pytest
import torch

from evonas_cli.compression.coalitions import Coalitions
from evonas_cli.compression.magnitude import norms
from evonas_cli.compression.removal import removed
from evonas_cli.compression.units import KEPT, units_of
from evonas_cli.config.build import spaces
from evonas_cli.network.plan import Graph, Plan, PlanError
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network

PLANS = {"dense": plans.dense(), "residual": plans.residual(), "sequence": plans.sequence()}


def outputs_of_masked(network: Network, coalition: torch.Tensor, number: int, x: torch.Tensor) -> torch.Tensor:
    """What the network gives with only a coalition of the units of its layer `number`."""
    units, seen = units_of(network.plan), []
    layer = units.layers[number]

    def score(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        seen.append(outputs)
        return torch.zeros(len(outputs))

    Coalitions(network, units, layer, x, torch.zeros(len(x)), score)(coalition[None])
    return seen[0][0]


def sampled(space: str) -> Plan:
    """A network of a space for small images."""
    found: Any = spaces()[space]
    plan: Plan = found.decode(found.sample(Random(0)), Task((1, 16, 16), 10)).plan
    return plan


@pytest.mark.parametrize("name", [*PLANS, "chain_cnn", "dag_cnn", "codeepneat"])
def test_removal_is_masking(name: str) -> None:
    plan = PLANS[name] if name in PLANS else sampled(name)
    network, x, units = plans.network(plan), plans.inputs(plan), units_of(plan)
    assert units.layers
    for number, layer in enumerate(units.layers):
        coalition = torch.rand(len(layer.units), generator=torch.Generator().manual_seed(number)) < 0.5
        coalition[0] = True
        gone = [unit for unit, stays in zip(layer.units, coalition.tolist(), strict=True) if not stays]
        smaller, weights = removed(plan, network.state_dict(), units, gone)
        assert gone and smaller.parameters < plan.parameters and smaller.multiply_adds < plan.multiply_adds
        left = Network(smaller, torch.Generator())
        left.load_state_dict(weights)
        with torch.inference_mode():
            made, whole = left.eval()(x), network(x)
        torch.testing.assert_close(made, outputs_of_masked(network, coalition, number, x), rtol=1e-5, atol=1e-5)
        assert not torch.allclose(made, whole, atol=1e-3), "a mask that changes nothing tests nothing"


@pytest.mark.parametrize("name", PLANS)
def test_all_layers_lose_units_at_once(name: str) -> None:
    plan = PLANS[name]
    units = units_of(plan)
    gone = [unit for layer in units.layers for unit in layer.units[::2][: len(layer.units) - 1]]
    smaller, weights = removed(plan, plans.network(plan).state_dict(), units, gone)
    left = Network(smaller, torch.Generator())
    left.load_state_dict(weights)
    with torch.inference_mode():
        assert left.eval()(plans.inputs(plan)).isfinite().all()
    after = units_of(smaller)
    assert [layer.nodes for layer in after.layers] == [layer.nodes for layer in units.layers]
    for before, now in zip(units.layers, after.layers, strict=True):
        assert len(now.units) == len(before.units) - len(set(gone).intersection(before.units))


def test_channels_that_are_added_are_one_unit_each() -> None:
    plan = plans.residual()
    units = units_of(plan)
    stem, inner, outer, summed = 1, 4, 6, 8
    ops = [node.op for node in plan.nodes]
    assert [ops[index] for index in (stem, inner, outer, summed)] == ["conv", "conv", "conv", "add"]
    assert units.of[stem] == units.of[outer] == units.of[summed]
    assert {layer.nodes for layer in units.layers} >= {(stem, outer), (inner,)}
    flat = ops.index("flatten")
    shape = plan.shapes[flat - 1]
    each = shape[1] * shape[2]
    assert units.of[flat][::each] == units.of[flat - 1] and len(units.of[flat]) == shape[0] * each


def test_what_has_to_stay_is_said_with_its_reason() -> None:
    units = units_of(plans.sequence())
    assert [layer.nodes for layer in units.layers] == [(1,)]
    assert units.whole == {
        3: "the operation lstm (node 4) reads it",
        6: "the network's outputs are its answers",
    }
    assert set(units.of[3]) == {KEPT}


def test_outputs_that_are_added_to_the_input_or_read_in_groups_stay() -> None:
    graph = Graph((4, 5, 5))
    same = graph.add("conv", graph.input, channels=4, kernel=3)
    x = graph.add("conv", graph.add("add", graph.input, same), channels=4, kernel=1)
    x = graph.add("conv", x, channels=6, kernel=1, groups=2)
    x = graph.add("layer_norm", graph.add("conv", x, channels=4, kernel=1))
    units = units_of(graph.plan(graph.add("linear", graph.add("global_avg_pool", x), features=2)))
    assert not units.layers
    assert (
        units.whole[1] == "it is added to the input"
        and "groups (node 4)" in units.whole[3]
        and "layer_norm" in units.whole[5]
    )


def test_all_units_of_a_layer_cannot_go() -> None:
    plan = plans.dense()
    units = units_of(plan)
    with pytest.raises(PlanError, match="features"):
        removed(plan, plans.network(plan).state_dict(), units, units.layers[0].units)


def test_norms_are_those_of_the_weights_of_all_channels_that_go_together() -> None:
    plan = plans.residual()
    network, units = plans.network(plan), units_of(plan)
    layer = next(layer for layer in units.layers if layer.nodes == (1, 6))
    state = network.state_dict()
    both = torch.cat([state["layers.1_conv.weight"].flatten(1), state["layers.6_conv.weight"].flatten(1)], 1)
    torch.testing.assert_close(norms(plan, state, units, layer), both.double().norm(dim=1))
