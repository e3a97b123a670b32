"""Gradients of depthwise convolutions on CPUs are those of torch."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from evonas_cli.nn.kernels import depthwise as module
from evonas_cli.nn.kernels.depthwise import applies, depthwise


@settings(max_examples=40, deadline=None)
@given(
    channels=st.integers(2, 20),
    kernel=st.tuples(st.integers(3, 8), st.integers(3, 8)).filter(lambda kernel: max(kernel) > 3),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    size=st.tuples(st.integers(8, 10), st.integers(8, 10)),
)
def test_outputs_and_gradients_are_those_of_torch(channels, kernel, padding, size):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, channels, *size, generator=generator).to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(channels, 1, *kernel, generator=generator).requires_grad_()
    assert applies(x, weight, (1, 1), padding, (1, 1), channels)
    found, expected = depthwise(x, weight, padding), F.conv2d(x, weight, None, 1, padding, 1, channels)
    assert torch.equal(found, expected)
    direction = torch.randn(expected.shape, generator=generator)
    ours, theirs = (torch.autograd.grad(y, (x, weight), direction) for y in (found, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_images_that_do_not_fit_the_cache_at_once_are_summed(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(7, 3, 9, 9, generator=generator).to(memory_format=torch.channels_last)
    weight = torch.randn(3, 1, 5, 5, generator=generator).requires_grad_()
    direction = torch.randn(7, 3, 9, 9, generator=generator)
    (expected,) = torch.autograd.grad(depthwise(x, weight, (2, 2)), weight, direction)
    for numbers in (1, 2 * 243, 5 * 243):
        monkeypatch.setattr(module, "CHUNK", numbers)
        (found,) = torch.autograd.grad(depthwise(x, weight, (2, 2)), weight, direction)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_it_applies_to_large_kernels_of_single_channels_alone():
    last = {"memory_format": torch.channels_last}
    x, weight = torch.randn(1, 4, 8, 8).to(**last), torch.randn(4, 1, 5, 5)
    plain = (1, 1), (2, 2), (1, 1), 4
    assert applies(x, weight, *plain)
    assert not applies(x.contiguous(), weight, *plain)
    assert not applies(x.bfloat16(), weight.bfloat16(), *plain)
    assert not applies(x, torch.randn(4, 1, 3, 3), *plain)
    assert not applies(x, torch.randn(4, 1, 1, 7), *plain)
    assert not applies(x, torch.randn(8, 1, 5, 5), *plain)
    assert not applies(x, weight, (2, 2), (2, 2), (1, 1), 4)
    assert not applies(x, weight, (1, 1), (2, 2), (2, 2), 4)
    assert not applies(x, weight, (1, 1), (5, 0), (1, 1), 4)
    assert not applies(torch.randn(1, 1, 8, 8).to(**last), torch.randn(1, 1, 5, 5), (1, 1), (2, 2), (1, 1), 1)
