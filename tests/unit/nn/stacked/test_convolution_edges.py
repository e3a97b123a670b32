"""Convolutions of any geometry on CPUs: right numbers, whatever the memory held before, and none beyond their own.

torch's own are wrong, read what was never written, or write beyond their memory in the geometries named here.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from evonas_cli.nn.stacked.convolution import Conv

pytestmark = pytest.mark.usefixtures("one_thread")

PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4))
SIZES = st.tuples(st.integers(1, 8), st.integers(1, 8))
KERNELS = st.tuples(st.sampled_from([1, 2, 3, 5]), st.sampled_from([1, 2, 3, 5]))


def poisoned(*sizes: int) -> None:
    """Leaves NaN in freed memory of these many numbers."""
    blocks = [torch.full((n,), torch.nan, dtype=d) for n in sizes for d in (torch.bfloat16, torch.float32)] * 4
    del blocks


def columns(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


@settings(max_examples=150, deadline=None)
@given(
    size=SIZES,
    kernel=KERNELS,
    stride=PAIRS,
    dilation=st.sampled_from([(1, 1), (1, 1), (2, 2), (1, 3)]),
    same=st.booleans(),
    channels=st.sampled_from([(1, 4), (4, 8), (8, 8), (16, 16)]),
    width=st.sampled_from([1, 2]),
    bf16=st.booleans(),
)
@example((1, 1), (3, 3), (2, 2), (1, 1), True, (16, 16), 1, True)
@example((2, 1), (3, 3), (2, 3), (1, 1), True, (4, 8), 2, True)
@example((6, 3), (1, 2), (1, 3), (1, 1), False, (1, 4), 1, False)
@example((6, 9), (1, 1), (3, 1), (1, 1), False, (8, 8), 1, True)
@example((1, 2), (1, 1), (2, 1), (1, 1), False, (16, 16), 2, False)
@example((5, 3), (1, 2), (1, 2), (1, 1), False, (4, 8), 1, True)
def test_maps_and_gradients_are_those_of_double_precision(size, kernel, stride, dilation, same, channels, width, bf16):
    padding = tuple((k - 1) * d // 2 if same else 0 for k, d in zip(kernel, dilation, strict=True))
    assume(all(columns(*each) > 0 for each in zip(size, kernel, stride, padding, dilation, strict=True)))
    torch.manual_seed(0)
    parts = [nn.Conv2d(*channels, kernel, stride, padding, dilation) for _ in range(width)]
    conv = Conv(parts, [True]).to(memory_format=torch.channels_last)
    x = torch.randn(3, width * channels[0], *size).to(memory_format=torch.channels_last).requires_grad_()
    wanted = [x, conv.weight, conv.bias]
    rounded = [t.detach().bfloat16() if bf16 else t.detach() for t in wanted]
    exact = [t.double().requires_grad_() for t in rounded]
    expected = F.conv2d(*exact, stride, padding, dilation, width)
    poisoned(x.numel(), conv.weight.numel(), expected.numel())
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        found = conv(x)
    slope = torch.randn_like(found)
    poisoned(x.numel(), conv.weight.numel(), expected.numel())
    ours = (found, *torch.autograd.grad(found, wanted, slope))
    theirs = (expected, *torch.autograd.grad(expected, exact, slope.double()))
    near = 2e-2 if bf16 else 1e-5
    for mine, right in zip(ours, theirs, strict=True):
        assert (mine.double() - right).norm() <= near * right.norm() + 1e-6


def test_strided_rows_write_nothing_beyond_their_memory():
    program = """
import torch
from torch import nn
from evonas_cli.nn.stacked.convolution import Conv
for rows, stride in ((6, 2), (6, 3), (8, 4)):
    print(rows, stride, flush=True)
    conv = Conv([nn.Conv2d(8, 8, 1, (stride, 1))], [True]).to(memory_format=torch.channels_last)
    x = torch.randn(1, 8, rows, 9).to(memory_format=torch.channels_last).requires_grad_()
    for turn in range(400):
        with torch.autocast("cpu", torch.bfloat16):
            conv(x).sum().backward()
        kept = [bytes(size) for size in range(turn, turn + 50)]
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, f"rows and stride {done.stdout}{done.stderr}"


@pytest.mark.parametrize("instructions", ["AVX2", "AVX512_CORE"])
def test_strided_pixels_write_nothing_beyond_their_memory(instructions):
    program = """
import torch
from torch import nn
from evonas_cli.nn.stacked.convolution import Conv
for channels in (1, 3, 7, 15):
    print(channels, flush=True)
    parts = [nn.Conv2d(channels, 24, 1, 2) for _ in range(4)]
    conv = Conv(parts, [False]).to(memory_format=torch.channels_last)
    x = torch.randn(16, channels, 32, 32).to(memory_format=torch.channels_last)
    expected = torch.cat([part(x) for part in parts], 1)
    torch.testing.assert_close(conv(x), expected)
    slope = torch.randn_like(expected)
    theirs = torch.cat([torch.einsum("bohw,bchw->oc", part, x[:, :, ::2, ::2]) for part in slope.chunk(4, 1)])
    for turn in range(20):
        (ours,) = torch.autograd.grad(conv(x), conv.weight, slope)
        torch.testing.assert_close(ours[:, :, 0, 0], theirs, rtol=1e-4, atol=1e-3)
"""
    narrower = {**os.environ, "ONEDNN_MAX_CPU_ISA": instructions}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=narrower)
    assert done.returncode == 0, f"channels {done.stdout}{done.stderr}"
