"""The kernels of implicit convolutions compute what torch's convolutions compute; run by Triton's interpreter."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from evonas_cli.nn.convolution import computable

pytest.importorskip("triton")

GEOMETRIES = [
    # members, channels, kernels, kernel, stride, padding, dilation, biased
    (2, 3, 5, (3, 3), (1, 1), (1, 1), (1, 1), True),
    (3, 8, 16, (5, 5), (1, 1), (0, 0), (1, 1), True),
    (2, 4, 4, (1, 3), (1, 1), (0, 1), (1, 1), False),
    (2, 5, 3, (3, 3), (2, 2), (1, 1), (1, 1), True),
    (2, 3, 2, (3, 2), (1, 2), (2, 1), (2, 1), True),
    (2, 1, 6, (3, 3), (1, 1), (1, 1), (1, 1), False),
    (1, 4, 3, (3, 2), (1, 1), (1, 0), (2, 1), True),
    (2, 70, 140, (1, 1), (1, 1), (0, 0), (1, 1), True),
]

PROGRAM = f"""
import torch
from torch.nn.functional import conv2d
from evonas_cli.nn.implicit import implicit

torch.manual_seed(0)
for members, c, o, kernel, stride, padding, dilation, biased in {GEOMETRIES}:
    x = torch.randn(2, members * c, 9, 8, requires_grad=True)
    weight = torch.randn(members * o, c, *kernel, requires_grad=True)
    wanted = [x, weight] + ([torch.randn(members * o, requires_grad=True)] if biased else [])
    bias = wanted[2] if biased else None
    expected = conv2d(x, weight, bias, stride, padding, dilation, members)
    found = implicit(x, weight, bias, stride, padding, dilation, 1, members)
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    direction = torch.randn(expected.shape)
    ours, theirs = (torch.autograd.grad((y * direction).sum(), wanted) for y in (found, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)
print("equal")
"""


def test_outputs_and_gradients_are_those_of_grouped_convolutions() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env={**os.environ, "TRITON_INTERPRET": "1"}
    )
    assert done.stdout == "equal\n", done.stderr


def test_cpus_do_without() -> None:
    assert not computable("implicit", torch.device("cpu")) and computable("unfold", torch.device("cpu"))
