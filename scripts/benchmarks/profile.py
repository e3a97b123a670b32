"""Where a training's time goes, in today's practice and in the engine: shares of phases, and the costliest operators.

Phases are taken with the clock around them (`phases`), operators in a training of their own with the clock around each
call (`operators`); convolutions and products are also timed alone (`limits`). Only CPUs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter

from benchmarks.phases import Clock, Point

from evonas_cli.bench.engine import job, population, samples
from evonas_cli.bench.workloads import BATCH, WORKLOADS, Seat, Workload
from evonas_cli.core.evaluating import Bench, Place
from evonas_cli.core.nowhere import Nowhere
from evonas_cli.core.processes import spawning
from evonas_cli.core.types import Json, Unit
from evonas_cli.evaluation.units import divide, evaluate

NAMES = ("example_cnn", "small_cnn", "mini_cnn", "mlp", "nasbench201_cells", "nasnet_cells")
WAYS = ("(a) loader", "(b) resident", "engine")
TOP = 5


def profile(names: Sequence[str], bf16: bool, rounds: int) -> Iterator[dict[str, Json]]:
    """A row for each workload and way, each way in a process of its own, and with the engine's rows its operators."""
    spawn = spawning()
    with ProcessPoolExecutor(1, spawn) as plain, ProcessPoolExecutor(1, spawn) as engine:
        for name in names:
            for way in WAYS[:2]:
                yield plain.submit(_practice, name, way, bf16, rounds).result()
            yield engine.submit(_engine, name, bf16, rounds).result()


def _practice(name: str, way: str, bf16: bool, rounds: int) -> dict[str, Json]:
    """Loops of `Practice`, which count their samples themselves."""
    import torch

    from evonas_cli.bench.practice import Practice

    workload, clock = _named(name), Clock()
    made, plans = Practice(workload.task, "cpu"), workload.plans("cpu")
    steps = workload.cpu.steps // len(plans) * len(plans)

    def train() -> float:
        """Seconds of a run."""
        rate = made.loader(plans, steps) if way == WAYS[0] else made.resident(plans, steps, bf16)
        return steps * BATCH / rate

    train()
    with clock.watching(_practice_points()):
        seconds = sum(train() for _ in range(rounds))
    return _row(name, way, torch.get_num_threads(), clock, seconds, rounds * steps * BATCH)


def _engine(name: str, bf16: bool, rounds: int) -> dict[str, Json]:
    """A worker of the engine that trains the whole population: stacks, with building and validation."""
    import torch

    workload, clock = _named(name), Clock()
    planner = job([workload], {name: workload.plans("cpu")}, "cpu")
    bench = planner.open(Place())
    units = divide(planner, population(workload, "cpu", "bf16" if bf16 else "fp32", first=1), bench.environment())
    _train(bench, units)
    with clock.watching(_engine_points()):
        started = perf_counter()
        for _ in range(rounds):
            _train(bench, units)
        seconds = perf_counter() - started
    row = _row(name, WAYS[2], torch.get_num_threads(), clock, seconds, rounds * samples(workload, "cpu"))
    return {
        **row,
        "width": max(unit.width for unit in units),
        "operators": _operators(bench, units[0]),
        "limits": _limits(bench, units[0]),
    }


def _train(bench: Bench[Seat], units: Sequence[Unit[Seat]]) -> None:
    for unit in units:
        for result in evaluate(bench, unit, Nowhere()):
            if result.status != "ok":
                raise RuntimeError(f"candidate {result.id} failed: {result.error}")


def _operators(bench: Bench[Seat], unit: Unit[Seat]) -> list[Json]:
    """The operators that take most of the time of all of them: share, and calls."""
    from benchmarks.operators import Operators

    with Operators() as found:
        _train(bench, [unit])
    whole = sum(found.seconds.values())
    most = sorted(found.seconds, key=lambda name: -found.seconds[name])[:TOP]
    return [{"name": name, "share": found.seconds[name] / whole, "calls": found.calls[name]} for name in most]


def _limits(bench: Bench[Seat], unit: Unit[Seat]) -> list[Json]:
    """The convolutions and products, each with its share of the peak."""
    from benchmarks.limits import Caught, shares

    with Caught() as found:
        _train(bench, [unit])
    return shares(list(found.calls.values()))


def _practice_points() -> list[Point]:
    import torch

    from evonas_cli.bench import practice
    from evonas_cli.nn.build import Network

    return [
        Point(torch.utils.data.DataLoader, "__iter__", "data", feeds=True),
        Point(practice, "resident_batches", "data", feeds=True),
        Point(Network, "forward", "forward"),
        Point(torch.nn.functional, "cross_entropy", "forward"),
        Point(torch.Tensor, "backward", "backward"),
        Point(torch.optim.SGD, "step", "optimiser"),
        Point(torch.optim.Optimizer, "zero_grad", "optimiser"),
    ]


def _engine_points() -> list[Point]:
    import torch

    from evonas_cli.training import criteria, feed_forward, steps
    from evonas_cli.training.optimizers import SGD

    return [
        Point(steps, "training_batches", "data", feeds=True),
        Point(steps, "forward", "forward"),
        Point(criteria, "cross_entropies", "forward"),
        Point(torch.Tensor, "backward", "backward"),
        Point(SGD, "step", "optimiser"),
        Point(steps.Steps, "_drop_gradients", "optimiser"),
        Point(feed_forward, "validate", None),
    ]


def _row(name: str, way: str, threads: int, clock: Clock, seconds: float, samples: int) -> dict[str, Json]:
    """`rest`: building, validation, and what the loop does between the phases."""
    shares = {phase: spent / seconds for phase, spent in clock.seconds.items()}
    return {
        "workload": name,
        "way": way,
        "threads": threads,
        "microseconds_a_sample": 1e6 * seconds / samples,
        "shares": {**shares, "rest": 1 - sum(shares.values())},
    }


def _named(name: str) -> Workload:
    return next(workload for workload in WORKLOADS if workload.name == name)
