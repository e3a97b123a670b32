"""A stacked convolution computes what the convolutions compute apart."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from evonas_cli.network.plan import Graph, Plan
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.convolution import grouped
from evonas_cli.nn.stacked.population import Population

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
LAYOUTS = st.sampled_from([torch.contiguous_format, torch.channels_last])


@settings(max_examples=40, deadline=None)
@given(
    groups=st.integers(1, 3),
    channels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    kernel=PAIRS,
    stride=PAIRS,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=PAIRS,
    width=st.integers(1, 4),
    biased=st.booleans(),
    layout=LAYOUTS,
)
def test_outputs_and_gradients_are_those_of_separate_convolutions(
    groups, channels, kernel, stride, padding, dilation, width, biased, layout
):
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator).requires_grad_()

    inside, outside = channels[0] * groups, channels[1] * groups
    x, weight = drawn(2, width * inside, 8, 7), drawn(width * outside, channels[0], *kernel)
    wanted = [x, weight, *([drawn(width * outside)] if biased else [])]
    bias = wanted[2] if biased else None
    geometry = stride, padding, dilation, groups
    expected = torch.cat(
        [
            F.conv2d(part, kernels, None if bias is None else bias.chunk(width)[place], *geometry)
            for place, (part, kernels) in enumerate(zip(x.chunk(width, 1), weight.chunk(width), strict=True))
        ],
        1,
    )
    direction = torch.randn(expected.shape, generator=generator)
    gradients = torch.autograd.grad((expected * direction).sum(), wanted)
    given_ = x.to(memory_format=layout), weight.to(memory_format=layout), bias
    found = grouped(*given_, stride, padding, dilation, groups * width)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    for ours, theirs in zip(torch.autograd.grad((found * direction).sum(), wanted), gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_the_layout_of_maps_is_kept():
    x, weight = torch.randn(2, 6, 5, 4), torch.randn(12, 2, 3, 3)
    for layout in (torch.contiguous_format, torch.channels_last):
        maps, kernels = x.to(memory_format=layout), weight.to(memory_format=layout)
        found = grouped(maps, kernels, None, (1, 1), (1, 1), (1, 1), 3)
        assert found.is_contiguous(memory_format=layout)


def test_bf16_is_the_type_of_the_arithmetic():
    x, weight, bias = torch.randn(2, 6, 5, 4), torch.randn(12, 2, 3, 3), torch.randn(12)
    with torch.autocast("cpu", torch.bfloat16):
        found = grouped(x, weight, bias, (1, 1), (1, 1), (1, 1), 3)
    assert found.dtype == torch.bfloat16
    expected = F.conv2d(x, weight, bias, padding=1, groups=3)
    torch.testing.assert_close(found.float(), expected, rtol=0.05, atol=0.1)


def network() -> Plan:
    """A common input, own maps, groups, a stride, a dilation."""
    graph = Graph((2, 9, 9))
    x = graph.add("relu", graph.add("conv", graph.input, channels=4, kernel=3, bias=1))
    x = graph.add("add", x, graph.add("conv", graph.input, channels=4, kernel=3, groups=2))
    x = graph.add("conv", x, channels=6, kernel_h=3, kernel_w=1, stride=2, groups=2)
    x = graph.add("conv", x, channels=3, kernel=3, dilation=2, same=0)
    return graph.plan(graph.add("linear", graph.add("flatten", x), features=3))


def stack(first: int = 0) -> Population:
    return Population([Network(network(), torch.Generator().manual_seed(first + place)) for place in range(3)])


def test_a_stack_scores_as_its_members_do():
    population, x = stack(), torch.randn(5, 2, 9, 9, generator=torch.Generator().manual_seed(1))
    found = population(x)
    for place in range(3):
        member = Network(network(), torch.Generator().manual_seed(place))
        torch.testing.assert_close(found[place], member(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("place", range(3))
def test_bits_do_not_depend_on_neighbours(place):
    x, bits = torch.randn(5, 2, 9, 9, generator=torch.Generator().manual_seed(1)), []
    for first in (0, 50):
        population = stack(first)
        population.load_member(place, stack(7).member(place))
        scores = population(x)
        gradients = torch.autograd.grad(scores.square().sum(), list(population.parameters()))
        bits.append([scores[place], *[gradient.chunk(3)[place] for gradient in gradients]])
    assert all(torch.equal(a, b) for a, b in zip(*bits, strict=True))


@settings(max_examples=40, deadline=None)
@given(
    kernel=st.sampled_from([1, 2, 3, 5]),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    groups=st.sampled_from([1, 2, 4]),
    same=st.integers(0, 1),
    bf16=st.booleans(),
    layout=LAYOUTS,
)
def test_thinned_and_single_channels_are_convolutions_like_others(kernel, stride, dilation, groups, same, bf16, layout):
    settings = {"kernel": kernel, "stride": stride, "dilation": dilation, "groups": groups, "same": same}
    graph = Graph((4, 13, 14))
    plan = graph.plan(graph.add("conv", graph.add("conv", graph.input, channels=4, kernel=1), channels=4, **settings))
    members = [Network(plan, torch.Generator().manual_seed(seed)).to(memory_format=layout) for seed in range(2)]
    population = Population(members).to(memory_format=layout)
    x = torch.randn(2, *plan.shapes[0], generator=torch.Generator().manual_seed(2)).to(memory_format=layout)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        found = population(x)
    expected = torch.cat([member(x) for member in members], 1)
    assert found.dtype == (torch.bfloat16 if bf16 else torch.float32)
    near = 2e-2 if bf16 else 1e-5
    assert (found.float() - expected).norm() <= near * expected.norm()
    found.float().square().sum().backward()
    expected.square().sum().backward()
    for name, parameter in population.named_parameters():
        theirs = torch.cat([dict(member.named_parameters())[name].grad for member in members])
        assert (parameter.grad - theirs).norm() <= near * theirs.norm()
