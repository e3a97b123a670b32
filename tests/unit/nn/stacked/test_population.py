"""Stacked networks compute what each of them computes alone, and none of them sees another."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from evonas_cli.network.map_ops import MAP_OPS
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.nn.build import Network
from evonas_cli.nn.kernels.pooling import MaxPool
from evonas_cli.nn.stacked.population import Population


def everything() -> Plan:
    """Every operation, on values that the members share and on values of their own."""
    graph = Graph((2, 9, 8))
    shared = graph.add("max_pool", graph.input, kernel=3, stride=1, padding=1)
    x = graph.add("conv", graph.add("shift", shared), channels=4, kernel=3, groups=2, bias=1)
    x = graph.add("add", x, graph.add("concat", graph.input, shared))
    x = graph.add("relu", graph.add("batch_norm", x))
    x = graph.add("concat", x, graph.add("batch_norm", shared), graph.input)
    x = graph.add("conv", x, channels=6, kernel_h=3, kernel_w=1, stride_h=2, dilation=1, groups=2)
    x = graph.add("add", x, graph.add("zero", x), graph.add("identity", x))
    x = graph.add("avg_pool", graph.add("pad", x, height=6, width=9), kernel=2, stride=2)
    x = graph.add("multiply", graph.add("upsample", x, factor=2), graph.add("global_max", x))
    x = graph.add("resize", x, height=7, width=8)
    vector = graph.add("concat", graph.add("global_avg_pool", x), graph.add("flatten", x))
    pooled = graph.add("global_avg_pool", graph.input)
    vector = graph.add("concat", vector, pooled, graph.add("linear", pooled, features=3))
    vector = graph.add("batch_norm", graph.add("linear", vector, features=5, bias=0))
    vector = graph.add(
        "add", graph.add("dropout", vector, rate=0.0), graph.add("batch_norm", graph.add("linear", pooled, features=5))
    )
    return graph.plan(graph.add("linear", graph.add("flatten", vector), features=3))


def networks(plan: Plan, count: int, first: int = 0) -> list[Network]:
    return [Network(plan, torch.Generator().manual_seed(first + i)) for i in range(count)]


def images(plan: Plan, n: int = 5) -> torch.Tensor:
    return torch.randn(n, *plan.shapes[0], generator=torch.Generator().manual_seed(9))


def test_the_plan_has_every_operation_on_maps():
    assert {node.op for node in everything().nodes[1:]} >= set(MAP_OPS)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("training", [True, False])
def test_each_member_computes_what_it_computes_alone(training, layout):
    plan, members = everything(), networks(everything(), 3)
    x = images(plan).to(memory_format=layout)
    population = Population(members).to(memory_format=layout).train(training)
    found = population(x)
    weights = torch.randn(found.shape[1:], generator=torch.Generator().manual_seed(1))
    (found * weights).sum().backward()
    population.count(int(training))
    for index, member in enumerate(members):
        expected = member.train(training)(x)
        torch.testing.assert_close(found[index], expected, rtol=1e-5, atol=1e-5)
        (expected * weights).sum().backward()
        gradients = {
            key: parameter.grad.chunk(3)[index]
            for key, parameter in population.named_parameters()
            if parameter.grad is not None
        }
        for key, parameter in member.named_parameters():
            torch.testing.assert_close(gradients[key], parameter.grad, rtol=1e-4, atol=1e-5)
        state = population.member(index)
        for key, value in member.state_dict().items():
            torch.testing.assert_close(state[key], value, rtol=1e-5, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 6), st.data())
def test_bits_do_not_depend_on_neighbours(width, data):
    place = data.draw(st.integers(0, width - 1))
    plan, x = everything(), images(everything())
    members, strangers = networks(plan, width), networks(plan, width, first=50)
    strangers[place] = members[place]
    bits = []
    for population in (Population(members), Population(strangers)):
        scores = population(x)
        parameters = list(population.parameters())
        gradients = torch.autograd.grad(scores.square().sum(), parameters, allow_unused=True)
        bits.append((scores[place], [g.chunk(width)[place] for g in gradients if g is not None]))
    assert torch.equal(bits[0][0], bits[1][0])
    assert all(torch.equal(a, b) for a, b in zip(bits[0][1], bits[1][1], strict=True))


def test_what_is_not_finite_stays_with_its_member():
    plan, members = everything(), networks(everything(), 3)
    with torch.no_grad():
        for parameter in members[1].parameters():
            parameter.fill_(float("nan"))
    population = Population(members)
    scores = population(images(plan))
    assert scores[1].isnan().all() and scores[0].isfinite().all() and scores[2].isfinite().all()
    gradients = torch.autograd.grad(scores.sum(), list(population.parameters()), allow_unused=True)
    for gradient in gradients:
        if gradient is not None:
            assert gradient.chunk(3)[0].isfinite().all() and gradient.chunk(3)[2].isfinite().all()


def dropping(rate: float) -> Plan:
    graph = Graph((2, 4, 4))
    x = graph.add("conv", graph.add("dropout", graph.input, rate=rate), channels=3, kernel=3)
    x = graph.add("flatten", graph.add("dropout", x, rate=rate))
    x = graph.add("dropout", graph.add("linear", x, features=40), rate=rate)
    return graph.plan(graph.add("linear", x, features=2))


@pytest.mark.parametrize("rates", [(0.3, 0.3), (0.1, 0.6), (0.0, 0.5)])
def test_dropout_drops_what_it_drops_alone(rates):
    members = [Network(dropping(rate), torch.Generator().manual_seed(i)) for i, rate in enumerate(rates)]
    x = images(dropping(0.1))
    torch.manual_seed(4)
    found = Population(members)(x)
    for index, member in enumerate(members):
        torch.manual_seed(4)
        torch.testing.assert_close(found[index], member(x), rtol=1e-5, atol=1e-5)
    assert not torch.equal(found, Population(members)(x))
    population = Population(members).eval()
    torch.testing.assert_close(population(x)[1], members[1].eval()(x))


def test_a_neighbours_rate_changes_no_bit():
    x, outputs = images(dropping(0.1)), []
    for rates in ((0.0, 0.5), (0.0, 0.0)):
        torch.manual_seed(4)
        members = [Network(dropping(rate), torch.Generator().manual_seed(i)) for i, rate in enumerate(rates)]
        outputs.append(Population(members)(x)[0])
    assert torch.equal(*outputs)


def test_dropout_keeps_the_share_and_the_mean():
    member = Network(dropping(0.25), torch.Generator().manual_seed(0))
    layer = member.layers["1_dropout"]
    dropped = layer(torch.ones(64, 2, 50, 50))
    assert (dropped == 0).double().mean().item() == pytest.approx(0.25, abs=0.005)
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.01)
    assert torch.equal(layer.eval()(torch.ones(2, 2)), torch.ones(2, 2))


def test_members_are_taken_out_and_put_back():
    plan = everything()
    first, second = Population(networks(plan, 2)), Population(networks(plan, 3, first=9))
    second.load_member(2, first.member(1))
    x = images(plan)
    assert torch.allclose(first.eval()(x)[1], second.eval()(x)[2], atol=1e-6)
    alone = networks(plan, 1, first=99)[0]
    alone.load_state_dict(first.member(1))
    assert torch.allclose(alone.eval()(x), first(x)[1], atol=1e-6)
    with pytest.raises(ValueError, match="the saved weights are those of a different network"):
        second.load_member(0, {"layers.1_conv.weight": torch.zeros(1)})


def test_a_network_without_weights_is_the_same_for_all():
    graph = Graph((3, 4, 4))
    plan = graph.plan(graph.add("global_avg_pool", graph.input))
    assert Population(networks(plan, 2))(images(plan)).shape == (2, 5, 3)


def pooled() -> Plan:
    """Rectified maps that only a pool reads, that something else reads as well, and that come from a shared value."""
    graph = Graph((2, 8, 8))
    first = graph.add("relu", graph.add("max_pool", graph.add("relu", graph.input), kernel=2, stride=2))
    x = graph.add("relu", graph.add("conv", first, channels=3, kernel=3, bias=1))
    x = graph.add("max_pool", x, kernel=3, stride=1, padding=1)
    y = graph.add("conv", x, channels=3, kernel=3)
    both = graph.add("relu", y)
    z = graph.add(
        "add", graph.add("max_pool", both, kernel=2, stride=2), graph.add("avg_pool", both, kernel=2, stride=2)
    )
    z = graph.add("add", z, graph.add("avg_pool", y, kernel=2, stride=2))
    return graph.plan(graph.add("linear", graph.add("flatten", z), features=3))


def test_rectifying_later_or_in_place_changes_no_bit():
    plan = pooled()
    (member,) = members = networks(plan, 1)
    x = images(plan)
    population = Population(members)
    layers = list(population.layers.values())
    assert [layer.rectify for layer in layers if isinstance(layer, MaxPool)] == [True, False]
    assert len([layer for layer in layers if isinstance(layer, nn.Identity)]) == 1
    scores, expected = population(x.clone())[0], member(x.clone())
    torch.testing.assert_close(scores, expected)
    (scores**2).sum().backward()
    (expected**2).sum().backward()
    for key, parameter in member.named_parameters():
        torch.testing.assert_close(dict(population.named_parameters())[key].grad, parameter.grad)


@pytest.mark.parametrize("width", [1, 2])
def test_dilated_convolutions_in_bf16_repeat_beside_dirty_memory(width):
    graph = Graph((3, 32, 32))
    x = graph.add("conv", graph.input, channels=3, kernel=3, dilation=2, groups=3)
    plan = graph.plan(graph.add("global_avg_pool", x))
    x = torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last)
    gradients = []
    for dirt in (0.0, float("nan"), 1e30):
        population = Population(networks(plan, width)).to(memory_format=torch.channels_last)
        freed = [torch.full((size,), dirt) for size in (1_000, 10_000, 100_000, 1_000_000, 4_000_000)]
        del freed
        with torch.autocast("cpu", torch.bfloat16):
            population(x).square().mean().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in population.parameters()]))
    assert gradients[0].isfinite().all()
    assert all(torch.equal(gradients[0], other) for other in gradients[1:])
