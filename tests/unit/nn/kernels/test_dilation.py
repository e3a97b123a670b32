"""Dilated convolutions that are computed without their dilation."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from evonas_cli.nn.kernels.dilation import all_phases, on_all_phases, on_one_phase, one_phase

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


def convolve(weight, x, stride, padding, dilation):
    return F.conv2d(x, weight, None, stride, padding, dilation, groups=len(weight))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@settings(max_examples=60, deadline=None)
@given(dilation=PAIRS, windows=PAIRS, padded=st.tuples(st.integers(0, 2), st.integers(0, 2)), kernel=PAIRS)
def test_all_phases_make_the_dilated_convolution(layout, dilation, windows, padded, kernel):
    size = [apart * count for apart, count in zip(dilation, windows, strict=True)]
    padding = tuple(apart * count for apart, count in zip(dilation, padded, strict=True))
    assume(all(n + 2 * p >= d * (k - 1) + 1 for n, p, d, k in zip(size, padding, dilation, kernel, strict=True)))
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, *size, generator=generator, dtype=torch.double).to(memory_format=layout).requires_grad_()
    weight = torch.randn(3, 1, *kernel, generator=generator, dtype=torch.double, requires_grad=True)
    assert all_phases(x, (1, 1), padding, dilation)
    expected = convolve(weight, x, (1, 1), padding, dilation)
    found = on_all_phases(partial(convolve, weight), x, padding, dilation)
    torch.testing.assert_close(found, expected)
    direction = torch.randn(expected.shape, generator=generator, dtype=torch.double)
    slopes = torch.autograd.grad(expected, (x, weight), direction)
    torch.testing.assert_close(torch.autograd.grad(found, (x, weight), direction), slopes)


def test_maps_whose_phases_differ_in_size_are_not_taken_apart():
    maps = torch.zeros(1, 2, 6, 5)
    assert all_phases(maps, (1, 1), (2, 0), (2, 1)) and not all_phases(maps, (1, 1), (0, 0), (2, 2))
    assert not all_phases(maps, (1, 1), (1, 0), (2, 1)) and not all_phases(maps, (2, 1), (0, 0), (2, 1))


@pytest.mark.parametrize(("stride", "padding", "dilation"), [((2, 2), (2, 2), (2, 2)), ((3, 4), (0, 2), (3, 2))])
def test_one_phase_makes_a_convolution_whose_stride_its_dilation_divides(stride, padding, dilation):
    x, weight = torch.randn(2, 3, 9, 10, dtype=torch.double), torch.randn(3, 1, 3, 2, dtype=torch.double)
    assert one_phase(stride, padding, dilation) and not one_phase((1, 1), padding, dilation)
    found = on_one_phase(partial(convolve, weight), x, stride, padding, dilation)
    torch.testing.assert_close(found, convolve(weight, x, stride, padding, dilation))
