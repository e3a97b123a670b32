"""Convolutions of images as one product of their patches."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.nn.kernels.image_convolution import LEAST, of_images, product

KERNELS = st.sampled_from([(3, 3), (5, 5), (1, 7), (2, 3)])
PAIRS = st.tuples(st.integers(1, 2), st.integers(1, 2))
LAYOUTS = st.sampled_from([torch.contiguous_format, torch.channels_last])


def tensors(channels: int, kernel: tuple[int, int], layout: torch.memory_format) -> tuple[Tensor, Tensor, Tensor]:
    """Images, kernels and biases; what is rounded to bfloat16 is exact there."""
    generator = torch.Generator().manual_seed(0)
    shapes = (3, channels, 9, 8), (LEAST, channels, *kernel), (LEAST,)
    x, weight, bias = (torch.randn(shape, generator=generator).bfloat16().float() for shape in shapes)
    return x.to(memory_format=layout), weight.to(memory_format=layout).requires_grad_(), bias.requires_grad_()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), KERNELS, PAIRS, st.tuples(st.integers(0, 1), st.integers(0, 2)), LAYOUTS, st.booleans())
def test_it_is_the_convolution_and_its_gradients(channels, kernel, stride, padding, layout, biased):
    x, weight, bias = tensors(channels, kernel, layout)
    wanted = [weight, bias] if biased else [weight]
    expected = F.conv2d(x.double(), weight.double(), bias.double() if biased else None, stride, padding)
    with torch.autocast("cpu", torch.bfloat16):
        found = product(x, weight, bias if biased else None, stride, padding)
    assert found.dtype == torch.bfloat16 and found.is_contiguous(memory_format=torch.channels_last)
    direction = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1)).bfloat16()
    slopes = torch.autograd.grad(found, wanted, direction)
    exact = torch.autograd.grad(expected, wanted, direction.double())
    for ours, theirs in zip((found, *slopes), (expected, *exact), strict=True):
        assert ours.shape == theirs.shape
        assert ((ours.double() - theirs).norm() / theirs.norm()).item() < 5e-3


def test_a_number_that_is_not_finite_stays_with_its_output():
    x, weight, bias = tensors(1, (3, 3), torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        expected = product(x, weight, bias, (1, 1), (0, 0))
        with torch.no_grad():
            weight[5, 0, 1, 1] = torch.inf
            bias[7] = torch.nan
        found = product(x, weight, bias, (1, 1), (0, 0))
    others = [channel for channel in range(LEAST) if channel not in (5, 7)]
    assert torch.equal(found[:, others], expected[:, others]) and not found[:, [5, 7]].isfinite().any()
    (slopes,) = torch.autograd.grad(found, weight, torch.zeros_like(found).index_fill(1, torch.tensor(5), torch.nan))
    assert slopes[5].isnan().all() and (slopes[others] == 0).all()


def test_it_can_be_rectified_in_place():
    x, weight, bias = tensors(1, (3, 3), torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        maps = product(x, weight, bias, (1, 1), (0, 0))
        (expected,) = torch.autograd.grad(F.relu(maps).float().sum(), weight, retain_graph=True)
        (slopes,) = torch.autograd.grad(F.relu_(product(x, weight, bias, (1, 1), (0, 0))).float().sum(), weight)
    assert torch.equal(slopes, expected)


@pytest.mark.parametrize(
    ("channels", "kernel", "outputs", "changes"),
    [
        (1, (3, 3), LEAST, {"precision": torch.float32}),
        (1, (3, 3), LEAST, {"wanted": True}),
        (1, (3, 3), LEAST, {"groups": 2}),
        (1, (3, 3), LEAST, {"dilation": (2, 2)}),
        (1, (3, 3), LEAST - 1, {}),
        (8, (3, 3), LEAST, {}),
        (3, (1, 1), LEAST, {}),
    ],
)
def test_others_are_left_to_torch(channels, kernel, outputs, changes):
    x = torch.zeros(2, channels, 8, 8, requires_grad=changes.get("wanted", False))
    weight = torch.zeros(outputs, channels, *kernel)
    with torch.autocast("cpu", torch.bfloat16, enabled=changes.get("precision") is None):
        assert not of_images(x, weight, changes.get("dilation", (1, 1)), changes.get("groups", 1))
        usual = torch.zeros(2, 1, 8, 8), torch.zeros(LEAST, 1, 3, 3)
        assert of_images(*usual, (1, 1), 1) == (changes.get("precision") is None)
