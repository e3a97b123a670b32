"""Convolutions and products of a training are caught, repeated alone, and their arithmetic counted."""

from __future__ import annotations

import pytest
import torch
from benchmarks.limits import Caught, shares
from torch.nn import functional as F


def test_each_pass_of_each_geometry_is_caught_once() -> None:
    x = torch.randn(2, 8, 6, 5, requires_grad=True)
    weight = torch.randn(6, 4, 3, 3, requires_grad=True)
    with Caught() as caught:
        for _ in range(2):
            F.conv2d(x, weight, None, 1, (1, 0), 1, 2).sum().backward()
    names = [f"2 x 4-3 3x3, 6x3 out: {way}" for way in ("forward", "by maps", "by weights")]
    assert sorted(caught.calls) == sorted(names)
    assert {call.operations for call in caught.calls.values()} == {2 * 2 * 6 * 18 * 4 * 9}


def test_gradients_that_nobody_wants_are_not_caught() -> None:
    weight = torch.randn(6, 4, 3, 3, requires_grad=True)
    with Caught() as caught:
        F.conv2d(torch.randn(2, 4, 6, 5), weight).sum().backward()
    assert sorted(caught.calls) == [f"1 x 4-6 3x3, 4x3 out: {way}" for way in ("by weights", "forward")]


def test_products_are_counted_by_rows_columns_and_what_is_summed() -> None:
    a, b, c = torch.randn(3, 2, 5), torch.randn(3, 5, 7), torch.randn(3, 2, 7)
    with Caught() as caught:
        torch.bmm(a, b)
        torch.baddbmm(c, a, b)
        torch.mm(a[0], b[0])
        torch.addmm(c[0], a[0], b[0])
        torch.mm(a[0].t(), c[0], out=torch.empty(5, 7))
    assert torch.equal(caught.calls["product 5x2 . 2x7"].run(), a[0].t() @ c[0])
    assert {name: call.operations for name, call in caught.calls.items()} == {
        "product 3x2x5 . 3x5x7": 420,
        "product 2x5 . 5x7": 140,
        "product 5x2 . 2x7": 140,
    }


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_shares_are_those_of_calls_repeated_on_what_they_were_given(kind: torch.dtype) -> None:
    weight = torch.randn(16, 16, 3, 3, dtype=kind)
    x = torch.randn(4, 16, 12, 12, dtype=kind)
    with Caught() as caught, torch.no_grad():
        expected = F.conv2d(x, weight)
    x.zero_()
    (call,) = caught.calls.values()
    assert torch.equal(call.run(), expected) and call.kind == kind
    (row,) = shares([call])
    assert row["name"] == "1 x 16-16 3x3, 10x10 out: forward"
