"""Maps and their gradients lie in memory alike."""

from __future__ import annotations

import pytest
import torch

from evonas_cli.nn.layout import order, ordered


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_gradient_is_brought_into_the_order_of_its_maps(layout):
    x = torch.randn(2, 3, 4, 5).to(memory_format=layout).requires_grad_()
    seen: list[torch.Tensor] = []
    y = x * 2
    y.register_hook(lambda slope: seen.append(slope))
    z = ordered(y)
    assert torch.equal(z, y) and order(z) == layout
    (gradient,) = torch.autograd.grad(z.flatten(1).sum(1), x, torch.tensor([1.0, 3.0]))
    assert torch.equal(gradient, torch.tensor([2.0, 6.0])[:, None, None, None].expand(2, 3, 4, 5))
    assert order(seen[0]) == layout


def test_vectors_are_left_alone():
    x = torch.randn(2, 3, requires_grad=True)
    assert ordered(x) is x
