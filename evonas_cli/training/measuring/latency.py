"""How long a network takes for a forward pass, and the energy of an example."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter

import torch
from torch import Tensor, nn

from evonas_cli.training.measuring.meters import Meter
from evonas_cli.training.measuring.plan import Timing

LEAST_SECONDS = 1.0
"""Counters of energy advance some ten times a second; over a second this is an error of some per cent."""


@torch.inference_mode()
def latency(network: nn.Module, x: Tensor, timing: Timing) -> tuple[float, float]:
    """Median and interquartile range, in milliseconds, of forward passes of a batch (B, ...) in evaluation mode.

    Each pass is waited for, so that on a CUDA device the start of its kernels counts, too.
    """
    network.eval()
    return passes_of(network, x, timing)


@torch.inference_mode()
def passes_of(model: Callable[[Tensor], Tensor], x: Tensor, timing: Timing) -> tuple[float, float]:
    """As `latency`, of a model that is in evaluation mode already or knows no modes."""
    for _ in range(timing.warmup):
        model(x)
    _wait(x.device)
    passes = []
    for _ in range(timing.repeats):
        started = perf_counter()
        model(x)
        _wait(x.device)
        passes.append(1e3 * (perf_counter() - started))
    lower, median, upper = statistics.quantiles(passes, n=4, method="inclusive")
    return median, upper - lower


@torch.inference_mode()
def energy(network: nn.Module, x: Tensor, timing: Timing, meter: Meter, seconds: float = LEAST_SECONDS) -> float:
    """Joules for an example: what the meter counts over at least so many seconds of passes, by their examples.

    The energy that the device takes when idle is a part of it. Raises RuntimeError where the counter does not advance.
    """
    network.eval()
    for _ in range(timing.warmup):
        network(x)
    _wait(x.device)
    meter.start()
    started, passes = perf_counter(), 0
    while perf_counter() - started < seconds:
        network(x)
        _wait(x.device)
        passes += 1
    joules = meter.joules()
    if not joules > 0:
        raise RuntimeError(f"the counter of energy gave {joules} J for {seconds} s of inference")
    return joules / (passes * len(x))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
