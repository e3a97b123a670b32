"""The products of stacked linear layers are those of torch, and their gradients lie as the weights do."""

from __future__ import annotations

import pytest
import torch

from evonas_cli.nn.stacked.linear import products


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("bf16", [True, False])
def test_values_and_gradients_are_those_of_linear_layers(biased, bf16):
    generator = torch.Generator().manual_seed(0)
    x, weight, bias = (
        torch.randn(*shape, generator=generator).requires_grad_() for shape in ((3, 5, 7), (3, 4, 7), (3, 4))
    )
    wanted = (x, weight, bias) if biased else (x, weight)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        found = products(x, weight, bias if biased else None)
        layers = [torch.nn.functional.linear(*(each[member] for each in wanted)) for member in range(3)]
        expected = torch.stack(layers)
    assert found.dtype == expected.dtype
    torch.testing.assert_close(found, expected)
    direction = torch.randn(3, 5, 4, generator=generator).to(found.dtype)
    ours, theirs = (torch.autograd.grad(y, wanted, direction) for y in (found, expected))
    near = 2e-2 if bf16 else 1e-5
    torch.testing.assert_close(ours, theirs, rtol=near, atol=near)
    assert all(gradient.is_contiguous() and gradient.dtype == torch.float32 for gradient in ours)


def test_what_needs_no_gradient_gets_none():
    x, weight = torch.randn(2, 3, 4), torch.randn(2, 5, 4, requires_grad=True)
    products(x, weight, None).sum().backward()
    assert x.grad is None and weight.grad is not None
