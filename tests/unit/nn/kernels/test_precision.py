"""Weights in a lower precision, and their gradients in their own."""

from __future__ import annotations

import torch

from evonas_cli.nn.kernels.precision import lowered


def test_weights_are_rounded_and_gradients_come_back_as_those_of_single_casts():
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(shape, generator=generator) for shape in ((4, 3, 3, 3), (5,), (2, 6))]
    weights[0] = weights[0].to(memory_format=torch.channels_last)
    wanted = [weight.requires_grad_() for weight in weights]
    found = lowered(wanted, torch.bfloat16)
    singly = [weight.to(torch.bfloat16) for weight in wanted]
    for low, expected in zip(found, singly, strict=True):
        assert torch.equal(low, expected) and low.stride() == expected.stride()
    loss = sum((low * low).sum() for low in (found[0], found[2]))
    expected = torch.autograd.grad(sum((low * low).sum() for low in (singly[0], singly[2])), (wanted[0], wanted[2]))
    slopes = torch.autograd.grad(loss, wanted, allow_unused=True)
    assert slopes[1] is None
    for slope, other in zip((slopes[0], slopes[2]), expected, strict=True):
        assert slope.dtype == torch.float32 and torch.equal(slope, other)


def test_no_weights_are_nothing():
    assert lowered([], torch.bfloat16) == ()
