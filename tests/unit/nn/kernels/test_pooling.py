"""The pools of populations are torch's, in values and gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from evonas_cli.nn.kernels.pooling import AvgPool, MaxPool

SIZES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(2, 7), st.integers(2, 7))
DTYPES = st.sampled_from([torch.float32, torch.bfloat16])
LAYOUTS = st.sampled_from([torch.contiguous_format, torch.channels_last])


def maps(size: tuple[int, ...], dtype: torch.dtype, layout: torch.memory_format, seed: int) -> torch.Tensor:
    """No two numbers are equal, in either precision."""
    generator = torch.Generator().manual_seed(seed)
    count = torch.Size(size).numel()
    numbers = torch.arange(-0x4000, 0x4000, 0x8000 // (count + 1), dtype=torch.int32)[:count] // 2 * 2 + 1
    values = numbers.sign() * (numbers.abs().to(torch.int16)).view(torch.bfloat16).float()
    order = torch.randperm(count, generator=generator)
    return values[order].view(size).to(dtype).to(memory_format=layout).requires_grad_()


def both(new: nn.Module, old: nn.Module, x: torch.Tensor) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    """Values, and the gradients of their product with a random tensor that is laid out contiguously."""
    found, expected = new(x), old(x)
    direction = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1)).to(x.dtype)
    return (found, *torch.autograd.grad(found, x, direction)), (expected, *torch.autograd.grad(expected, x, direction))


@settings(max_examples=60, deadline=None)
@given(SIZES, DTYPES, LAYOUTS, st.booleans(), st.integers(0, 99))
def test_pairs_of_maxima_are_those_of_torch_bit_for_bit(size, dtype, layout, rectify, seed):
    old: nn.Module = nn.MaxPool2d(2)
    new = MaxPool([old], [True])
    new.rectify = rectify
    if rectify:
        old = nn.Sequential(old, nn.ReLU())
    found, expected = both(new, old, maps(size, dtype, layout, seed))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(found, expected, strict=True))


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(1, 3), st.integers(1, 3), st.booleans(), DTYPES, LAYOUTS)
def test_other_maxima_are_those_of_torch(size, kernel, stride, padded, dtype, layout):
    padding = kernel // 2 if padded else 0
    kernel = min(kernel, size[2], size[3])
    old = nn.MaxPool2d(kernel, stride, min(padding, kernel // 2))
    found, expected = both(MaxPool([old], [True]), old, maps(size, dtype, layout, 0))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(found, expected, strict=True))


def test_of_equal_numbers_one_has_the_gradient():
    x = torch.zeros(1, 16, 4, 4, dtype=torch.bfloat16).to(memory_format=torch.channels_last).requires_grad_()
    y = MaxPool([nn.MaxPool2d(2)], [True])(x)
    (gradient,) = torch.autograd.grad(y, x, torch.full_like(y, 3.0))
    windows = gradient.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    assert torch.equal(windows.sum(4), torch.full_like(y, 3.0)) and ((windows != 0).sum(4) == 1).all()


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_what_is_rectified_away_has_no_gradient(zero):
    x = torch.full((1, 3, 5, 4), zero, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
    x[:, 1] = -1.0
    x.requires_grad_()
    pool = MaxPool([nn.MaxPool2d(2)], [True])
    pool.rectify = True
    y = pool(x)
    (gradient,) = torch.autograd.grad(y, x, torch.full_like(y, 3.0))
    assert (y == 0).all() and (gradient == 0).all()


@pytest.mark.parametrize("bits", [0x7FC0, -0x0040], ids=["positive", "negative"])
def test_what_is_no_number_stays_so_and_with_its_channel(bits):
    x = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0)).bfloat16()
    x.view(torch.int16)[0, 1, 3, 3] = bits
    assert x[0, 1, 3, 3].isnan()
    x = x.to(memory_format=torch.channels_last).requires_grad_()
    pool = MaxPool([nn.MaxPool2d(2)], [True])
    pool.rectify = True
    for y in (pool(x), AvgPool([nn.AvgPool2d(3, 1, 1, count_include_pad=False)], [True])(x)):
        assert y[0, 1].isnan().any() and y[:, [0, 2]].isfinite().all()
        assert torch.autograd.grad(y.sum(), x)[0][:, [0, 2]].isfinite().all()


@pytest.mark.parametrize("strange", [float("inf"), float("-inf"), float("nan"), 3e38])
def test_no_number_depends_on_another_channel_that_is_not_finite(strange):
    found = []
    for value in (1.0, strange):
        x = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0)).bfloat16()
        x[:, 1] = value
        x = x.to(memory_format=torch.channels_last).requires_grad_()
        pool = MaxPool([nn.MaxPool2d(2)], [True])
        pool.rectify = True
        y = pool(x)
        found.append((y[:, [0, 2]], torch.autograd.grad(y.sum(), x)[0][:, [0, 2]]))
    assert all(torch.equal(plain, beside) for plain, beside in zip(*found, strict=True))


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(1, 3), st.integers(1, 2), st.booleans(), DTYPES, LAYOUTS)
def test_means_are_those_of_torch(size, kernel, stride, padded, dtype, layout):
    kernel = min(kernel, size[2], size[3])
    old = nn.AvgPool2d(kernel, stride, kernel // 2 if padded else 0, count_include_pad=False)
    x = torch.randn(size, generator=torch.Generator().manual_seed(0)).to(dtype).to(memory_format=layout)
    with torch.inference_mode():
        AvgPool([old], [True])(x)
    found, expected = both(AvgPool([old], [True]), old, x.requires_grad_())
    near = 1e-5 if dtype == torch.float32 else 2e-2
    torch.testing.assert_close(found, expected, rtol=near, atol=near)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_means_under_autocast_keep_the_type_of_their_maps(layout):
    x = torch.randn(1, 2, 5, 5).to(memory_format=layout)
    pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(AvgPool([pool], [True])(x), pool(x))
