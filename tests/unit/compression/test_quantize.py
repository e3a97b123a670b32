"""int8 layers are within half a step of what they round, whatever their shape."""

from __future__ import annotations

import plans
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.compression.quantize import described, quantised
from evonas_cli.core.errors import UsageError
from evonas_cli.network.plan import Graph
from evonas_cli.nn.build import Network
from evonas_cli.nn.layers.int8 import Int8Linear
from evonas_cli.nn.layers.int8 import quantised as rounded


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 20), st.integers(0, 99))
def test_a_linear_layer_is_within_its_roundings(given: int, made: int, batch: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    weight, x = torch.randn(made, given, generator=generator), torch.randn(batch, given, generator=generator)
    levels, scale = rounded(weight)
    layer = Int8Linear(given, made, bias=False)
    layer.load_state_dict({"weight": levels, "scale": scale})
    step = x.abs().amax(1, keepdim=True) / 127
    # |x w - x' w'| <= |x - x'| |w| + |x'| |w - w'|, each rounding being half a step at most
    bound = (step / 2) @ weight.abs().sum(1)[None] + x.abs().sum(1, keepdim=True) @ scale[None] / 2
    bound += given * step @ scale[None] / 4
    assert ((layer(x) - x @ weight.T).abs() <= bound * 1.001 + 1e-6).all()


def test_weights_are_within_half_a_step() -> None:
    weight = torch.randn(5, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    weight[2] = 0
    levels, scale = rounded(weight)
    assert levels.dtype == torch.int8 and int(levels.abs().max()) == 127 and not levels[2].any()
    assert ((levels * scale.view(-1, 1, 1, 1) - weight).abs() <= scale.view(-1, 1, 1, 1) / 2 + 1e-7).all()


def test_a_network_keeps_its_answers_and_a_quarter_of_its_bytes() -> None:
    plan = plans.residual()
    network, x = plans.network(plan), plans.inputs(plan)
    smaller, weights = quantised(plan, network.state_dict())
    int8 = Network(smaller, torch.Generator())
    int8.load_state_dict(weights)
    with torch.inference_mode():
        wanted, made = network(x), int8.eval()(x)
    assert (made - wanted).abs().max() < 0.03 * wanted.std() + 0.03 * wanted.abs().max()
    assert smaller.parameters == plan.parameters and smaller.multiply_adds == plan.multiply_adds
    assert smaller.model_bytes < 0.45 * plan.model_bytes
    assert described(smaller).startswith("int8: 2 linear (int8 weights and inputs), 5 conv (int8 weights, computed in")


def test_what_stays_in_float32_is_said() -> None:
    plan, network = plans.sequence(), plans.network(plans.sequence())
    smaller, _ = quantised(plan, network.state_dict())
    assert described(smaller) == "int8: 1 linear (int8 weights and inputs); float32: 2 conv1d, 1 lstm"
    graph = Graph((3, 9))
    with pytest.raises(UsageError, match="none of the layers linear, conv"):
        quantised(graph.plan(graph.add("mean_time", graph.input)), {})
