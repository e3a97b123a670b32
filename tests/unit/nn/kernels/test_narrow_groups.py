"""Groups of few channels, several computed as one, give what each gives by itself; none sees its neighbours."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.nn.kernels.narrow_groups import merged, narrow, paired
from evonas_cli.nn.stacked.convolution import grouped

CHANNELS_LAST = torch.channels_last


def tensors(groups: int, given: int, made: int, kernel: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(groups * 100 + given * 10 + made)
    x = torch.randn(3, groups * given, 6, 5, generator=generator, dtype=dtype).to(memory_format=CHANNELS_LAST)
    weight = torch.randn(groups * made, given, kernel, kernel, generator=generator, dtype=dtype)
    bias = torch.randn(groups * made, generator=generator, dtype=dtype)
    return [x, weight.to(memory_format=CHANNELS_LAST), bias]


@settings(max_examples=40, deadline=None)
@given(
    blocks=st.integers(1, 3),
    given=st.integers(1, 8),
    made=st.integers(2, 8),
    kernel=st.sampled_from([1, 2, 3]),
    stride=st.integers(1, 2),
    padding=st.integers(0, 1),
)
def test_maps_and_gradients_are_those_of_the_grouped_convolution(blocks, given, made, kernel, stride, padding):
    together = 4 if made <= 4 else 2
    groups = blocks * together
    wanted = [tensor.requires_grad_() for tensor in tensors(groups, given, made, kernel)]
    assert merged(*wanted[:2], (1, 1), groups) == together
    how = (stride, stride), (padding, padding)
    found, expected = narrow(*wanted, *how, groups, together), F.conv2d(*wanted, *how, 1, groups)
    torch.testing.assert_close(found, expected)
    slope = torch.randn_like(expected)
    ours, theirs = torch.autograd.grad(found, wanted, slope), torch.autograd.grad(expected, wanted, slope)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("strange", [0.0, 1e30, float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize(("given", "made"), [(4, 8), (4, 4), (3, 2)])
def test_no_bit_depends_on_the_neighbours(kind, strange, given, made):
    groups, found = 8, []
    for value in (1.0, strange):
        x, weight, bias = tensors(groups, given, made, 3, torch.float32)
        x[1, given : 2 * given, 2, 3] = value
        wanted = [tensor.requires_grad_() for tensor in (x, weight, bias)]
        with torch.autocast("cpu", torch.bfloat16, enabled=kind == torch.bfloat16):
            y = narrow(*wanted, (1, 1), (1, 1), groups, 4 if made <= 4 else 2)
        assert y.dtype == kind
        by = torch.autograd.grad(y, wanted, torch.ones_like(y))
        found.append([t.movedim(1, 0).unflatten(0, (groups, -1)) for t in (y, by[0])])
        found[-1] += [t.unflatten(0, (groups, -1)) for t in by[1:]]
    for plain, beside in zip(*found, strict=True):
        for group in range(groups):
            if group != 1:
                assert torch.equal(plain[group], beside[group])
    if not abs(strange) < float("inf"):
        assert found[1][0][1].isnan().all() and not found[1][0][0].isnan().any()


def test_weights_that_are_not_finite_stay_with_their_own():
    wanted = tensors(4, 4, 8, 3, torch.float32)
    wanted[1][8:16] = float("nan")
    y = narrow(*[tensor.requires_grad_() for tensor in wanted], (1, 1), (1, 1), 4, 2)
    assert y[:, 8:16].isnan().all() and not y[:, :8].isnan().any() and not y[:, 16:].isnan().any()
    by_x, by_weight, _ = torch.autograd.grad(y, wanted, torch.ones_like(y))
    assert by_x[:, 4:8].isnan().all() and by_x.isnan().sum() == by_x[:, 4:8].numel()
    assert not by_weight.isnan().any()


@pytest.mark.parametrize(
    ("groups", "given", "made", "dilation"),
    [(5, 4, 8, 1), (6, 4, 4, 1), (4, 9, 8, 1), (4, 4, 16, 1), (4, 1, 1, 1), (4, 4, 8, 2)],
    ids=["odd", "no_multiple_of_4", "wide_in", "wide_out", "single", "dilated"],
)
def test_others_are_left_to_torch(groups, given, made, dilation):
    x, weight, _ = tensors(groups, given, made, 3)
    assert merged(x, weight, (dilation, dilation), groups) == 1


def test_maps_in_another_order_are_left_to_torch():
    x, weight, _ = tensors(4, 4, 8, 3)
    assert merged(x.contiguous(), weight, (1, 1), 4) == 1


ODD = [(9, 9), (3, 9), (9, 4), (12, 9), (1, 9), (9, 1), (33, 32), (7, 3)]


@pytest.mark.parametrize(("given", "made"), ODD)
@pytest.mark.parametrize("place", [0, -1])
def test_in_bf16_odd_channels_are_no_ones_neighbours_either(given, made, place):
    """oneDNN reads them in pairs, across the border of a group."""
    groups, found = 3, []
    for strange in (1.0, float("nan")):
        x, weight, bias = tensors(groups, given, made, 3, torch.float32)
        x[1, given : 2 * given][place, 2, 3] = strange
        wanted = [tensor.requires_grad_() for tensor in (x, weight, bias)]
        slope = torch.ones(3, groups * made, 6, 5).to(memory_format=CHANNELS_LAST)
        slope[2, made : 2 * made][place, 1, 2] = strange
        with torch.autocast("cpu", torch.bfloat16):
            assert paired(x, weight, groups)
            y = grouped(*wanted, (1, 1), (1, 1), (1, 1), groups)
        by = torch.autograd.grad(y, wanted, slope.bfloat16())
        found.append([t.movedim(1, 0).unflatten(0, (groups, -1)) for t in (y, by[0])])
        found[-1] += [t.unflatten(0, (groups, -1)) for t in by[1:]]
    for plain, beside in zip(*found, strict=True):
        assert torch.equal(plain[0], beside[0]) and torch.equal(plain[2], beside[2])
        assert beside[1].isnan().any()


@pytest.mark.parametrize(("given", "made"), ODD)
@pytest.mark.parametrize("stride", [1, 2])
def test_in_bf16_odd_channels_keep_torchs_bits(given, made, stride):
    wanted = [tensor.requires_grad_() for tensor in tensors(3, given, made, 3, torch.float32)]
    how = (stride, stride), (1, 1), (1, 1)
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = grouped(*wanted, *how, 3), F.conv2d(*wanted, *how, 3)
    slope = torch.randn_like(theirs)
    found, expected = torch.autograd.grad(ours, wanted, slope), torch.autograd.grad(theirs, wanted, slope)
    merges = merged(*wanted[:2], (1, 1), 3) > 1
    assert merges or all(map(torch.equal, (ours, *found), (theirs, *expected)))


@pytest.mark.parametrize(
    ("given", "made", "groups", "kind"),
    [(8, 16, 3, torch.bfloat16), (9, 9, 1, torch.bfloat16), (1, 1, 3, torch.bfloat16), (9, 9, 3, torch.float32)],
    ids=["even", "alone", "single", "float32"],
)
def test_what_is_read_by_itself_is_left_to_torch(given, made, groups, kind):
    x, weight, _ = tensors(groups, given, made, 3, kind)
    assert not paired(x, weight, groups)
