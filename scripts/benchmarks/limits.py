"""How near to the processor's peak the convolutions and matrix products of a stacked training run, each by itself.

Calls are caught while a population trains, one of each geometry, and repeated alone. Their arithmetic is what they are
given to compute, including what groups that are computed as one multiply by zero. Only CPUs.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from evonas_cli.core.types import Json

aten = torch.ops.aten
PRODUCTS = {func: func for func in (aten.mm.default, aten.addmm.default, aten.bmm.default, aten.baddbmm.default)}
PRODUCTS[aten.mm.out] = aten.mm.default
"""By what is called, what is repeated."""
PEAK_SIZE = 2048
REPEATS = 9


@dataclass(frozen=True)
class Call:
    """A call that can be repeated: which pass of what, its multiplications and additions, its precision."""

    name: str
    run: Callable[[], object]
    operations: int
    kind: torch.dtype


class Caught(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, convolutions, their gradients and matrix products, the first of each name."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: dict[str, Call] = {}

    def __torch_dispatch__(
        self, func: OpOverload, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is aten.convolution.default:
            self._add("forward", args[1], _slid(args[0], args[1], args[3:6]), args[8], func, args)
        elif func is aten.convolution_backward.default:
            for place, name in enumerate(("by maps", "by weights")):
                if args[10][place]:
                    only = [place == other for other in range(3)]
                    self._add(name, args[2], args[0].shape, args[9], func, (*args[:10], only))
        elif func in PRODUCTS:
            first, second = args[-2:]
            name = f"product {'x'.join(map(str, first.shape))} . {'x'.join(map(str, second.shape))}"
            self._keep(name, PRODUCTS[func], args, 2 * first.numel() * second.shape[-1], first.dtype)
        return func(*args, **(kwargs or {}))

    def _add(
        self, way: str, weight: Tensor, out: Sequence[int], groups: int, func: OpOverload, args: Sequence[Any]
    ) -> None:
        outputs, inputs, *kernel = weight.shape
        pixels = out[0] * out[2] * out[3]
        name = f"{groups} x {inputs}-{outputs // groups} {'x'.join(map(str, kernel))}, {out[2]}x{out[3]} out: {way}"
        self._keep(name, func, args, 2 * pixels * weight.numel(), weight.dtype)

    def _keep(self, name: str, func: OpOverload, args: Sequence[Any], operations: int, kind: torch.dtype) -> None:
        if name not in self.calls:
            held = [each.detach().clone() if isinstance(each, Tensor) else each for each in args]
            self.calls[name] = Call(name, lambda: func(*held), operations, kind)


def shares(calls: Sequence[Call]) -> list[Json]:
    """For each call its name, microseconds, and the share of the peak, that of a large product in its precision on as
    many threads; what takes longest first."""
    peaks = {kind: _peak(kind) for kind in {call.kind for call in calls}}
    found = [(call, _seconds(call.run)) for call in calls]
    return [
        {
            "name": call.name,
            "microseconds": 1e6 * seconds,
            "share_of_peak": call.operations / seconds / peaks[call.kind],
        }
        for call, seconds in sorted(found, key=lambda pair: -pair[1])
    ]


def _peak(kind: torch.dtype) -> float:
    """Operations a second."""
    first, second = torch.randn(2, PEAK_SIZE, PEAK_SIZE).to(kind)
    return 2 * PEAK_SIZE**3 / _seconds(lambda: first @ second)


@torch.no_grad()
def _seconds(run: Callable[[], object]) -> float:
    """Of one call: the median."""
    run()
    found = []
    for _ in range(REPEATS):
        started = perf_counter()
        run()
        found.append(perf_counter() - started)
    return statistics.median(found)


def _slid(x: Tensor, weight: Tensor, how: Sequence[Sequence[int]]) -> list[int]:
    """The output's shape; `how` is stride, padding, dilation."""
    lengths = zip(x.shape[2:], weight.shape[2:], *how, strict=True)
    return [
        len(x),
        len(weight),
        *((n + 2 * pad - apart * (k - 1) - 1) // step + 1 for n, k, step, pad, apart in lengths),
    ]
