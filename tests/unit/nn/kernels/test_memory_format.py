"""Maps and their gradients lie in memory alike."""

from __future__ import annotations

import pytest
import torch

from evonas_cli.network.plan import Graph
from evonas_cli.nn.build import Network
from evonas_cli.nn.kernels.memory_format import order, ordered
from evonas_cli.nn.stacked.population import Population


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_gradient_is_brought_into_the_order_of_its_maps(layout):
    x = torch.randn(2, 3, 4, 5).to(memory_format=layout).requires_grad_()
    seen: list[torch.Tensor] = []
    y = x * 2
    y.register_hook(lambda slope: seen.append(slope))
    z = ordered(y)
    assert torch.equal(z, y) and order(z) == layout
    (gradient,) = torch.autograd.grad(z.flatten(1).sum(1), x, torch.tensor([1.0, 3.0]))
    assert torch.equal(gradient, torch.tensor([2.0, 6.0])[:, None, None, None].expand(2, 3, 4, 5))
    assert order(seen[0]) == layout


def test_vectors_are_left_alone():
    x = torch.randn(2, 3, requires_grad=True)
    assert ordered(x) is x


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_maps_and_gradients_keep_their_order_through_a_population(width, layout):
    graph = Graph((3, 8, 8))
    x = graph.add("conv", graph.input, channels=4, kernel=3)
    both = graph.add("concat", x, graph.add("shift", x), graph.add("zero", x))
    x = graph.add("relu", graph.add("conv", graph.add("pad", both, height=10, width=9), channels=4, kernel=3))
    plan = graph.plan(graph.add("linear", graph.add("flatten", x), features=2))
    members = [Network(plan, torch.Generator().manual_seed(seed)) for seed in range(width)]
    population, seen = Population(members).to(memory_format=layout), []

    def look(layer, inputs, output):
        if output.dim() == 4:
            seen.append(order(output))
            if output.requires_grad:
                output.register_hook(lambda slope: seen.append(order(slope)))

    for layer in population.layers.values():
        layer.register_forward_hook(look)
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)).to(memory_format=layout)
    population(images).square().sum().backward()
    assert len(seen) > 8
    if layout == torch.channels_last:
        assert set(seen) == {layout}
