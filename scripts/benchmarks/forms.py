"""Operators of the engine beside torch's on one CPU thread: forward and backward pass, in the same rounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.bench.rounds import interleave
from evonas_cli.core.types import Json
from evonas_cli.network.plan import Graph
from evonas_cli.nn.build import Network
from evonas_cli.nn.kernels.image_convolution import product
from evonas_cli.nn.kernels.narrow_groups import narrow
from evonas_cli.nn.kernels.pooling import AvgPool, MaxPool
from evonas_cli.nn.stacked.linear import products
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.criteria import cross_entropies
from evonas_cli.training.device.allocator import keep_memory

BATCH = 64
CALLS = 5

Pass = Callable[[], Tensor]


class Case(NamedTuple):
    """What is computed, by torch and by the engine, and of what the gradient is taken in each case."""

    name: str
    torch: Pass
    engine: Pass
    of_torch: Sequence[Tensor]
    of_engine: Sequence[Tensor]


def compare(rounds: int) -> Iterator[dict[str, Json]]:
    """For each case milliseconds of both, medians of rounds, and the median of their ratios within a round."""
    torch.set_num_threads(1)
    keep_memory()
    for case in [*pools(), *convolutions(), *narrow_groups(), *images(), *dense()]:
        ways = {way: _timed(case, way) for way in ("torch", "engine")}
        for way in ways.values():
            way()
        found = interleave(ways, rounds)
        ratios = [slow / fast for slow, fast in zip(found["torch"], found["engine"], strict=True)]
        yield {
            "name": case.name,
            "torch_ms": 1e3 * statistics.median(found["torch"]),
            "engine_ms": 1e3 * statistics.median(found["engine"]),
            "ratio": {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)},
        }


def _timed(case: Case, way: str) -> Callable[[], float]:
    compute, wanted = (case.torch, case.of_torch) if way == "torch" else (case.engine, case.of_engine)

    def seconds() -> float:
        started = perf_counter()
        for _ in range(CALLS):
            for tensor in wanted:
                tensor.grad = None
            y = compute()
            y.backward(torch.ones_like(y))  # type: ignore[no-untyped-call]
        return (perf_counter() - started) / CALLS

    return seconds


def _noise(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    return (x.to(memory_format=torch.channels_last) if x.dim() == 4 else x).requires_grad_()


def pools() -> Iterator[Case]:
    """Means of 3 x 3 in both precisions, maxima of 2 x 2 with rectification in bf16."""
    for dtype in (torch.float32, torch.bfloat16):
        x, mean = _noise(BATCH, 16, 32, 32, dtype=dtype), nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        yield Case(f"mean of 3x3 {str(dtype)[6:]}", partial(mean, x), partial(AvgPool([mean], [True]), x), [x], [x])
    x, largest = _noise(BATCH, 80, 24, 24, dtype=torch.bfloat16), nn.MaxPool2d(2)
    pool = MaxPool([largest], [True])
    pool.rectify = True
    yield Case("maximum of 2x2 bfloat16", lambda: F.relu_(largest(x)), partial(pool, x), [x], [x])


def convolutions() -> Iterator[Case]:
    """Of single channels: large kernels, dilation without and with a stride, in bf16, too."""
    for name, settings, bf16 in (
        ("depthwise 5x5", {"kernel": 5}, False),
        ("depthwise 7x7", {"kernel": 7}, False),
        ("depthwise 3x3 dilation 2", {"kernel": 3, "dilation": 2}, False),
        ("depthwise 3x3 dilation 2 bfloat16", {"kernel": 3, "dilation": 2}, True),
        ("depthwise 3x3 dilation 2 stride 2", {"kernel": 3, "dilation": 2, "stride": 2}, False),
        ("depthwise 5x5 stride 2 bfloat16", {"kernel": 5, "stride": 2}, True),
    ):
        graph = Graph((32, 32, 32))
        plan = graph.plan(graph.add("conv", graph.input, channels=32, groups=32, **settings))
        network = Network(plan, torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last)
        population, x = Population([network]).to(memory_format=torch.channels_last), _noise(BATCH, 32, 32, 32)
        wanted = [[x, *module.parameters()] for module in (network, population)]
        yield Case(name, partial(_in, bf16, network, x), partial(_in, bf16, population, x), *wanted)


def narrow_groups() -> Iterator[Case]:
    """The second convolution of twenty networks of 4 and 8 channels, in both precisions."""
    for dtype in (torch.float32, torch.bfloat16):
        x, weight = _noise(BATCH, 80, 13, 13, dtype=dtype), _noise(160, 4, 3, 3, dtype=dtype)
        bias = _noise(160, dtype=dtype)
        yield Case(
            f"20 groups of 4 to 8 channels {str(dtype)[6:]}",
            partial(F.conv2d, x, weight, bias, groups=20),
            partial(narrow, x, weight, bias, (1, 1), (0, 0), 20, 2),
            *([x, weight, bias],) * 2,
        )


def images() -> Iterator[Case]:
    """The first convolution of twenty networks of 4 channels, on images of one channel, and of one on colour."""
    for channels, outputs, size in ((1, 80, 28), (3, 48, 32)):
        x, weight = _noise(BATCH, channels, size, size, dtype=torch.bfloat16).detach(), _noise(outputs, channels, 3, 3)
        with_bias = [weight, _noise(outputs)]
        yield Case(
            f"images of {channels} to {outputs} channels bfloat16",
            partial(_in, True, F.conv2d, x, *with_bias),
            partial(_in, True, partial(product, stride=(1, 1), padding=(0, 0)), x, *with_bias),
            *(with_bias,) * 2,
        )


def _in(bf16: bool, compute: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        return compute(*inputs)


def dense() -> Iterator[Case]:
    """Linear layers of two members, cross-entropies of twenty."""
    x, weight, bias = _noise(2, BATCH, 9216), _noise(2, 128, 9216), _noise(2, 128)
    yield Case(
        "linear 9216 to 128",
        lambda: torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2)),
        lambda: products(x, weight, bias),
        *([x, weight, bias],) * 2,
    )
    scores, y = _noise(20, BATCH, 10), torch.arange(BATCH) % 10
    yield Case(
        "cross-entropy of 10 classes",
        lambda: F.cross_entropy(scores.flatten(0, 1), y.repeat(20), reduction="none"),
        lambda: cross_entropies(scores, y),
        *([scores],) * 2,
    )
