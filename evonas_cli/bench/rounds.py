"""Interleaved rounds: every variant once a round, in an order that is reversed each time, and ratios within a round."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

from evonas_cli.bench.engine import Engine
from evonas_cli.bench.workloads import WORKLOADS, Workload
from evonas_cli.core.processes import spawning
from evonas_cli.core.types import Json
from evonas_cli.network.plan import Plan

T = TypeVar("T")
Variant = Callable[[], float]
EPOCHS = 10  # of 50,000 images, each of which takes hundredths of a second
TRAINING_FLOPS = 6  # a multiply-add is two operations; a training step is three passes


def measure(names: Sequence[str], rounds: int, device: str, bf16: bool) -> Iterator[dict[str, Json]]:
    """A row for each workload: medians of samples a second, ratios of rounds with their range, share of the peak.

    On CPUs the engine trains in fp32 and, where the processor has it, bf16. On CUDA devices it trains in bf16 where
    there is that.
    """
    chosen = [workload for workload in WORKLOADS if workload.name in names]
    with ProcessPoolExecutor(1, spawning()) as other:
        for _, group in groupby(chosen, lambda workload: (workload.task, workload.on(device).images)):
            workloads = list(group)
            plans = {workload.name: workload.plans(device) for workload in workloads}
            engine = Engine(workloads, plans, device)
            other.submit(_imported)
            try:
                engine.start()
                for workload in workloads:
                    yield _measured(workload, plans[workload.name], engine, other, rounds, bf16)
            finally:
                engine.close()


def _measured(
    workload: Workload, plans: Sequence[Plan], engine: Engine, other: ProcessPoolExecutor, rounds: int, bf16: bool
) -> dict[str, Json]:
    call, steps = _Caller(other, workload, engine.device), workload.on(engine.device).steps
    resident_steps = 3 * steps if len(plans) == 1 else steps
    precisions = ("fp32", "bf16") if bf16 else ("fp32",)
    variants: dict[str, Variant] = {"(a) loader": partial(call, "loader", plans, steps)}
    for precision in precisions:
        name = "(b) resident" + (f" {precision}" if precision != "fp32" else "")
        variants[name] = partial(call, "resident", plans, resident_steps, precision == "bf16")
    for precision in precisions[-1:] if engine.device == "cuda" else precisions:
        variants[f"engine {precision}"] = partial(engine.train, workload, precision)
    for variant in variants.values():
        variant()
    found = interleave(variants, rounds)
    peaks = {precision: call("peak", precision == "bf16") for precision in precisions}
    return _row(workload, found, peaks, statistics.mean(plan.multiply_adds for plan in plans))


def feeding(rounds: int, device: str) -> dict[str, Json]:
    """What the data path delivers without training."""
    workload = WORKLOADS[0]
    with ProcessPoolExecutor(1, spawning()) as other:
        call = _Caller(other, workload, device)
        variants: dict[str, Variant] = {
            "(a) loader": lambda: call("items_alone"),
            "engine": lambda: other.submit(_resident_alone, device).result(),
        }
        for variant in variants.values():
            variant()
        found = interleave(variants, rounds)
    return _row(workload, found, {}, 0.0, "feeding")


def interleave(variants: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """What each variant gives in each round, such as a rate."""
    found: dict[str, list[T]] = {name: [] for name in variants}
    for number in range(rounds):
        for name in list(variants) if number % 2 == 0 else list(reversed(list(variants))):
            found[name].append(variants[name]())
    return found


def _row(
    workload: Workload, found: Mapping[str, Sequence[float]], peaks: Mapping[str, float], work: float, name: str = ""
) -> dict[str, Json]:
    absolute = {variant: statistics.median(rates) for variant, rates in found.items()}
    ratios: dict[str, Json] = {}
    resident = [max(rates) for rates in zip(*[r for n, r in found.items() if n.startswith("(b)")], strict=True)]
    bases = {"(a)": found["(a) loader"], **({"(b)": resident} if resident else {})}
    for variant, rates in found.items():
        for base, slow in bases.items():
            if not variant.startswith("("):
                each = [fast / other for fast, other in zip(rates, slow, strict=True)]
                ratios[f"{variant} / {base}"] = {
                    "median": statistics.median(each),
                    "least": min(each),
                    "most": max(each),
                }
    shares = {
        variant: TRAINING_FLOPS * work * rate / peaks[variant.split()[1]]
        for variant, rate in absolute.items()
        if variant.startswith("engine ")
    }
    return {"name": name or workload.name, "absolute": absolute, "ratios": ratios, "share_of_peak": shares}


def machine(device: str) -> dict[str, Json]:
    """What was measured on."""
    import torch

    from evonas_cli.evaluation.division import available_cores
    from evonas_cli.training.device.setup import device_name

    return {
        "device": device_name(torch.device(device)),
        "cores": available_cores(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cpu_capabilities": sorted(key for key, has in torch.cpu.get_capabilities().items() if has is True),
    }


class _Caller:
    """Runs methods of `Practice` in a process of its own."""

    def __init__(self, other: ProcessPoolExecutor, workload: Workload, device: str) -> None:
        self._other, self._workload, self._device = other, workload, device

    def __call__(self, method: str, *arguments: Any) -> float:
        return self._other.submit(_practice, self._workload.task, self._device, method, *arguments).result()


def _imported() -> None:
    """What takes longest to import is imported while the engine's workers start."""
    import evonas_cli.bench.practice  # noqa: F401


def _practice(task: Any, device: str, method: str, *arguments: Any) -> float:
    from evonas_cli.bench.practice import Practice

    rate: float = getattr(Practice(task, device), method)(*arguments)
    return rate


def _resident_alone(device: str) -> float:
    """Samples a second of some epochs of batches, drawn, gathered and normalised."""
    from time import perf_counter

    import torch

    from evonas_cli.bench.workloads import BATCH, MNIST, Noise
    from evonas_cli.data.resident import Resident

    torch.set_num_threads(1)
    settings: dict[str, Any] = {"limit": None, "crop": 0, "flip": False, "cutout": 0}
    noise = Noise(images=50_000, shape=MNIST.inputs, valid_fraction=None, test_fraction=None, **settings)
    data = Resident(noise.prepare(0), torch.device(device))
    started = perf_counter()
    for epoch in range(EPOCHS):
        for _ in data.fed(torch.split(data.epoch_order(0, epoch), BATCH)):
            pass
    if device == "cuda":
        torch.cuda.synchronize()
    return EPOCHS * data.n_train / (perf_counter() - started)
