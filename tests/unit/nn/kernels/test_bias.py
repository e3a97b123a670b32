"""Biases and their gradient are those of a convolution with a bias."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from evonas_cli.nn.kernels.bias import biased
from evonas_cli.nn.stacked.convolution import grouped

SETTINGS = ((1, 1), (0, 0), (1, 1), 2)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_bias_added_behind_is_a_bias_of_the_convolution(layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 4, 6, 5).to(memory_format=layout)
    weight, bias = torch.randn(8, 2, 3, 3, requires_grad=True), torch.randn(8, requires_grad=True)
    expected = F.conv2d(x, weight, bias, groups=2)
    found = biased(grouped(x, weight, None, *SETTINGS), bias)
    torch.testing.assert_close(found, expected)
    direction = torch.randn(expected.shape)
    ours, theirs = (torch.autograd.grad((y * direction).sum(), (weight, bias)) for y in (found, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
