"""Every form of a stacked convolution computes what the convolutions compute apart."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from evonas_cli.core.ops import complete
from evonas_cli.core.plan import Graph, Plan
from evonas_cli.nn.build import Network
from evonas_cli.nn.convolution import FUNCTIONS, computable
from evonas_cli.nn.geometry import FORMS, chosen, is_choice, layer_name
from evonas_cli.nn.population import Population

ON_CPU = [form for form in FORMS if computable(form, torch.device("cpu"))]
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
    for form in ON_CPU:
        found = FUNCTIONS[form](*given_, *geometry, width)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
        for ours, theirs in zip(torch.autograd.grad((found * direction).sum(), wanted), gradients, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("form", ON_CPU)
def test_the_layout_of_maps_is_kept(form):
    x, weight = torch.randn(2, 6, 5, 4), torch.randn(12, 2, 3, 3)
    for layout in (torch.contiguous_format, torch.channels_last):
        maps, kernels = x.to(memory_format=layout), weight.to(memory_format=layout)
        found = FUNCTIONS[form](maps, kernels, None, (1, 1), (1, 1), (1, 1), 1, 3)
        assert found.is_contiguous(memory_format=layout)


@pytest.mark.parametrize("form", ON_CPU)
def test_bf16_is_the_type_of_the_arithmetic(form):
    x, weight, bias = torch.randn(2, 6, 5, 4), torch.randn(12, 2, 3, 3), torch.randn(12)
    with torch.autocast("cpu", torch.bfloat16):
        found = FUNCTIONS[form](x, weight, bias, (1, 1), (1, 1), (1, 1), 1, 3)
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


NAMES = ["2x9x9_to4_k3_p1", "2x9x9_to4_k3_p1_g2", "4x9x9_to6_k3x1_s2_p1x0_g2", "6x5x5_to3_k3_d2"]


def stack(choice, width: int = 3, first: int = 0) -> Population:
    members = [Network(network(), torch.Generator().manual_seed(first + place)) for place in range(width)]
    return Population(members, choice)


def forms(population: Population) -> list[str]:
    return [layer.form for _, layer in population.convolutions()]


def test_layers_are_called_by_what_differs_from_the_usual():
    assert [name for name, _ in stack("auto").convolutions()] == NAMES
    assert all([is_choice({name: "unfold", f"{name}_w16": "branches"}) for name in NAMES])


def test_a_form_is_chosen_for_all_layers_or_by_name_and_width():
    assert forms(stack("auto")) == forms(stack({})) == ["grouped"] * 4
    assert forms(stack("unfold")) == ["grouped", "unfold", "unfold", "unfold"]
    choice = {NAMES[2]: "unfold", f"{NAMES[2]}_w2": "branches", f"{NAMES[3]}_w2": "unfold"}
    assert forms(stack(choice)) == ["grouped", "grouped", "unfold", "grouped"]
    assert forms(stack(choice, width=2)) == ["grouped", "grouped", "branches", "unfold"]


def test_one_member_has_nothing_to_choose():
    assert forms(stack("unfold", width=1)) == ["grouped"] * 4


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_whatever_a_plan_has_gets_a_name_that_can_be_set(data):
    sizes = st.integers(1, 40)
    params = {key: data.draw(sizes) for key in ("channels", "kernel_h", "kernel_w", "stride_h", "stride_w")}
    params |= {"dilation": data.draw(sizes), "groups": data.draw(sizes), "same": data.draw(st.integers(0, 1))}
    name = layer_name((data.draw(sizes), data.draw(sizes), data.draw(sizes)), complete("conv", params))
    assert is_choice({name: "unfold"}) and chosen({name: "unfold"}, name, 5) == "unfold"


@pytest.mark.parametrize("form", ON_CPU)
def test_a_stack_scores_as_its_members_do_in_every_form(form):
    population, x = stack(form), torch.randn(5, 2, 9, 9, generator=torch.Generator().manual_seed(1))
    found = population(x)
    for place in range(3):
        member = Network(network(), torch.Generator().manual_seed(place))
        torch.testing.assert_close(found[place], member(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("form", "place"), [*product(["unfold", "branches"], range(3))])
def test_bits_do_not_depend_on_neighbours(form, place):
    x, bits = torch.randn(5, 2, 9, 9, generator=torch.Generator().manual_seed(1)), []
    for first in (0, 50):
        population = stack(form, first=first)
        population.load_member(place, stack(form, first=7).member(place))
        scores = population(x)
        gradients = torch.autograd.grad(scores.square().sum(), list(population.parameters()))
        bits.append([scores[place], *[gradient.chunk(3)[place] for gradient in gradients]])
    assert all(torch.equal(a, b) for a, b in zip(*bits, strict=True))


@pytest.mark.parametrize(
    "value", ["fold", None, 3, ["unfold"], {"8x12x12_to16_k5": "auto"}, {"8x12_to16_k5": "unfold"}, {5: "unfold"}]
)
def test_what_is_no_choice(value):
    assert not is_choice(value)


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
