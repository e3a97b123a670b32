"""On a CUDA device: operators that populations compute in another way than torch give what torch's give."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

KINDS = [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)]


def near(found: Sequence[torch.Tensor], expected: Sequence[torch.Tensor], most: float) -> bool:
    """Whether the relative error of each is small enough."""
    pairs = zip(found, expected, strict=True)
    return all(((ours.double() - theirs).norm() / theirs.norm()).item() < most for ours, theirs in pairs)


@pytest.mark.parametrize(("kind", "most"), KINDS)
@pytest.mark.parametrize("stride", [1, 2])
def test_means_over_windows(kind: torch.dtype, most: float, stride: int) -> None:
    """The exact ones are torch's on contiguous maps: on others its gradients were wrong for years."""
    from evonas_cli.nn.kernels.pooling import AvgPool

    old = torch.nn.AvgPool2d(3, stride, 1, count_include_pad=False)
    new = AvgPool([old], [True])
    for size in ((8, 16, 12, 11), (3, 5, 4, 4)):
        x = torch.randn(size, device="cuda").to(kind).to(memory_format=torch.channels_last).requires_grad_()
        exact = x.detach().double().contiguous().requires_grad_()
        found, expected = new(x), old(exact)
        direction = torch.randn_like(found)
        slopes = torch.autograd.grad(found, x, direction), torch.autograd.grad(expected, exact, direction.double())
        assert near((found, *slopes[0]), (expected, *slopes[1]), most)


@pytest.mark.parametrize(("kind", "most"), KINDS)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(16, 16), (9, 12)])
def test_dilated_convolutions_of_single_channels(
    kind: torch.dtype, most: float, stride: int, size: tuple[int, int]
) -> None:
    from evonas_cli.nn.stacked.convolution import Conv

    old = torch.nn.Conv2d(6, 6, 3, stride, 2, 2, groups=6, bias=False).cuda()
    new = Conv([old], [True]).cuda()
    x = torch.randn(4, 6, *size, device="cuda").to(kind).to(memory_format=torch.channels_last).requires_grad_()
    weight = old.weight.detach().to(kind).requires_grad_()
    exact = [tensor.detach().double().requires_grad_() for tensor in (x, weight)]
    expected = torch.nn.functional.conv2d(*exact, None, stride, 2, 2, 6)
    found = new(x, weight)
    direction = torch.randn_like(found)
    slopes = torch.autograd.grad(expected, exact, direction.double())
    assert near((found, *torch.autograd.grad(found, (x, weight), direction)), (expected, *slopes), most)


@pytest.mark.parametrize("width", [1, 3])
def test_weights_lowered_together_train_as_those_that_autocast_lowers(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "unit/training"))
    from quadrants import network

    from evonas_cli.nn.stacked.population import Population

    x = torch.randn(6, 1, 8, 8, device="cuda").to(memory_format=torch.channels_last)
    found = []
    for together in (True, False):
        if not together:
            monkeypatch.setattr(Population, "_lowered", lambda population, device: {})
        population = Population([network(seed=i) for i in range(width)]).cuda().to(memory_format=torch.channels_last)
        population.draw_from(torch.Generator("cuda").manual_seed(0))
        with torch.autocast("cuda", torch.bfloat16):
            scores = population(x)
        scores.float().square().sum().backward()
        found.append([scores, *(parameter.grad for parameter in population.parameters() if parameter.grad is not None)])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*found, strict=True))


def test_one_thread_does_it_for_all_callers() -> None:
    from evonas_cli.training.device.one_thread import in_one_thread

    device, seen = torch.device("cuda", 0), []
    callers = [
        threading.Thread(target=lambda: seen.append(in_one_thread(device, threading.get_ident))) for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(set(seen)) == 1 and len(seen) == 3 and seen[0] != threading.get_ident()


@pytest.mark.parametrize(("given", "made"), [(9, 9), (3, 4), (4, 3), (8, 16)])
def test_what_is_not_finite_stays_with_its_group(given: int, made: int) -> None:
    """In bf16, also with odd numbers of channels, which a kernel may read in pairs."""
    from evonas_cli.nn.stacked.convolution import Conv

    conv = Conv([torch.nn.Conv2d(given, made, 3, 1, 1) for _ in range(3)], [True]).cuda()
    conv.to(memory_format=torch.channels_last)
    start = torch.randn(4, 3 * given, 6, 6, device="cuda").to(memory_format=torch.channels_last)
    found = []
    for strange in (1.0, float("nan")):
        x = start.clone(memory_format=torch.channels_last)
        x[:, [given, 2 * given - 1], 2, 3] = strange
        wanted = [x.requires_grad_(), conv.weight]
        with torch.autocast("cuda", torch.bfloat16):
            y = conv(x)
        slope = torch.ones_like(y)
        slope[:, [made, 2 * made - 1], 1, 2] = strange
        by_x, by_weight = torch.autograd.grad(y, wanted, slope)
        found.append([t.movedim(1, 0).chunk(3) for t in (y, by_x)] + [by_weight.chunk(3)])
    for plain, beside in zip(*found, strict=True):
        assert torch.equal(plain[0], beside[0]) and torch.equal(plain[2], beside[2])
        assert beside[1].isnan().any()
