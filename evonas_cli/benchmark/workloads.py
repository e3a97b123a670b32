"""What is trained in the benchmark of the engine: populations of one network, and of different ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeAlias

import numpy as np

from evonas_cli.config import build, compose
from evonas_cli.core.plan import Graph, Plan
from evonas_cli.core.types import Json, Phenotype, Task
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.dataset import Dataset

MNIST, CIFAR = Task((1, 28, 28), 10), Task((3, 32, 32), 10)
BATCH = 64

Seat: TypeAlias = tuple[int, str]
"""A place in a population, and the precision of its training."""


@dataclass(frozen=True)
class Workload:
    """A population: `size` members, which have `plans` in turn; the engine trains each on `images` images once, the
    one-at-a-time loops take `steps` batches, shared out over the plans. `cuda` has both for CUDA devices, where less
    would measure how long a training takes to begin."""

    name: str
    task: Task
    plans: Callable[[], Sequence[Plan]]
    size: int
    images: int
    steps: int
    cuda: tuple[int, int]

    def on(self, kind: str) -> Workload:
        """The workload as a type of device has it."""
        return replace(self, images=self.cuda[0], steps=self.cuda[1]) if kind == "cuda" else self


@dataclass(frozen=True)
class Given:
    """The space of a workload: a genome is a place in the population, which decides about the plan and the learning
    rate, and the precision of the training."""

    plans: tuple[Plan, ...]

    def sample(self, rng: Random) -> Seat:
        """Any place."""
        return rng.randrange(1 << 30), "fp32"

    def to_json(self, genome: Seat) -> Json:
        """As a list."""
        return list(genome)

    def from_json(self, data: Any) -> Seat:
        """The inverse of `to_json`."""
        return data[0], data[1]

    def decode(self, genome: Seat, task: Task) -> Phenotype:
        """One plan after the other."""
        place, precision = genome
        settings: dict[str, Json] = {"learning_rate": 0.0001 * (1 + place % 10), "precision": precision}
        return Phenotype(self.plans[place % len(self.plans)], settings)


@dataclass(frozen=True, kw_only=True)
class Noise(Dataset):
    """Images of random bytes: as fast to train on as any others of their shape."""

    images: int
    shape: tuple[int, ...]

    def read(self) -> Arrays:
        """`images` for training and two of each class for validation."""
        rng = np.random.default_rng(0)
        x = rng.integers(0, 256, (self.images + 20, *self.shape), np.uint8)
        y = np.arange(len(x)) % 10
        return Arrays(
            x_train=x[:-20], y_train=y[:-20], x_valid=x[-20:], y_valid=y[-20:], x_test=x[-20:], y_test=y[-20:]
        )


def cnn(channels: tuple[int, int], kernel: int, hidden: int, pools: int, dropout: bool = False) -> Plan:
    """Two convolutions and two linear layers; with one pool and dropout it is PyTorch's MNIST example."""
    graph = Graph(MNIST.shape)
    x = graph.add("relu", graph.add("conv", graph.input, channels=channels[0], kernel=kernel, bias=1, same=0))
    if pools == 2:
        x = graph.add("max_pool", x, kernel=2, stride=2)
    x = graph.add("relu", graph.add("conv", x, channels=channels[1], kernel=kernel, bias=1, same=0))
    x = graph.add("max_pool", x, kernel=2, stride=2)
    x = graph.add("dropout", x, rate=0.25) if dropout else x
    x = graph.add("relu", graph.add("linear", graph.add("flatten", x), features=hidden))
    x = graph.add("dropout", x, rate=0.5) if dropout else x
    return graph.plan(graph.add("linear", x, features=10))


def mlp() -> Plan:
    """784-64-64-10."""
    graph = Graph(MNIST.shape)
    x = graph.add("flatten", graph.input)
    for _ in range(2):
        x = graph.add("relu", graph.add("linear", x, features=64))
    return graph.plan(graph.add("linear", x, features=10))


def cells(count: int, *overrides: str) -> Sequence[Plan]:
    """Different networks of a configured space."""
    config = compose(["job=train", "dataset=digits", *overrides]).config
    space, rng = build(config["space"], "space"), Random(0)
    return [space.decode(space.sample(rng), CIFAR).plan for _ in range(count)]


def nasbench201(count: int) -> Sequence[Plan]:
    """Cells of 16 channels, one a stage."""
    return cells(count, "space=nasbench201", "space.channels=16", "space.cells_per_stage=1")


WORKLOADS = (
    Workload("example_cnn", MNIST, lambda: [cnn((32, 64), 3, 128, 1, dropout=True)], 10, 1280, 20, (51_200, 60)),
    Workload("small_cnn", MNIST, lambda: [cnn((8, 16), 5, 64, 2)], 20, 5120, 60, (51_200, 60)),
    Workload("mini_cnn", MNIST, lambda: [cnn((4, 8), 3, 32, 2)], 40, 5120, 80, (51_200, 80)),
    Workload("mlp", MNIST, lambda: [mlp()], 40, 10240, 100, (51_200, 100)),
    Workload("nasbench201_cells", CIFAR, lambda: nasbench201(4), 4, 512, 8, (25_600, 40)),
    Workload(
        "nasnet_cells",
        CIFAR,
        lambda: cells(4, "space=nasnet", "space.normal_cells=1", "space.channels=16"),
        4,
        256,
        4,
        (12_800, 20),
    ),
    Workload("mixed_population", CIFAR, lambda: nasbench201(20), 20, 640, 20, (12_800, 40)),
)
