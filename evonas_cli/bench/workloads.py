"""What is trained in the benchmark of the engine: populations of one network, and of different ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

import numpy as np

from evonas_cli.config.build import build
from evonas_cli.config.compose import compose
from evonas_cli.core.types import Json
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.dataset import Dataset
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.network.task import Phenotype, Task

MNIST, CIFAR = Task((1, 28, 28), 10), Task((3, 32, 32), 10)
BATCH = 64


class Seat(NamedTuple):
    """A genome: a place in the population of a workload, and how it is trained."""

    workload: str
    place: int
    precision: str


class Size(NamedTuple):
    """How much is measured: the engine trains each of `members` on `images` images for `epochs`, the loop over items
    takes `steps` batches, shared out over the plans, that over resident data three times as many where there is but
    one plan."""

    members: int
    images: int
    epochs: int
    steps: int


@dataclass(frozen=True)
class Workload:
    """A population, whose members have in turn the plans that `make` makes for so many. CUDA devices have a size of
    their own: what is enough for a CPU would measure there how long a training takes to begin, on a part of the card.
    """

    name: str
    task: Task
    make: Callable[[int], Sequence[Plan]]
    cpu: Size
    cuda: Size

    def on(self, kind: str) -> Size:
        """What is measured on a type of device."""
        return self.cuda if kind == "cuda" else self.cpu

    def plans(self, kind: str) -> Sequence[Plan]:
        """The networks that are trained on a type of device."""
        return self.make(self.on(kind).members)


@dataclass(frozen=True)
class Given:
    """The space of workloads: a place decides about the plan and the learning rate. `plans` and `epochs` are theirs by
    name."""

    plans: Mapping[str, Sequence[Plan]]
    epochs: Mapping[str, int]

    def sample(self, rng: Random) -> Seat:
        """Any place."""
        return Seat(rng.choice(list(self.plans)), rng.randrange(1 << 30), "fp32")

    def to_json(self, genome: Seat) -> Json:
        """As a list."""
        return list(genome)

    def from_json(self, data: Any) -> Seat:
        """The inverse of `to_json`."""
        return Seat(*data)

    def decode(self, genome: Seat, task: Task) -> Phenotype:
        """One plan after the other."""
        plans = self.plans[genome.workload]
        settings: dict[str, Json] = {
            "learning_rate": 0.0001 * (1 + genome.place % 10),
            "epochs": self.epochs[genome.workload],
            "precision": genome.precision,
        }
        return Phenotype(plans[genome.place % len(plans)], settings)


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
    graph = Graph(MNIST.inputs)
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
    graph = Graph(MNIST.inputs)
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
    Workload(
        "example_cnn",
        MNIST,
        lambda _: [cnn((32, 64), 3, 128, 1, dropout=True)],
        Size(10, 1280, 1, 20),
        Size(10, 25_600, 1, 30),
    ),
    Workload("small_cnn", MNIST, lambda _: [cnn((8, 16), 5, 64, 2)], Size(20, 5120, 1, 60), Size(20, 25_600, 2, 30)),
    Workload("mini_cnn", MNIST, lambda _: [cnn((4, 8), 3, 32, 2)], Size(40, 5120, 1, 80), Size(40, 25_600, 2, 30)),
    Workload("mlp", MNIST, lambda _: [mlp()], Size(40, 10_240, 1, 100), Size(40, 25_600, 2, 30)),
    Workload("nasbench201_cells", CIFAR, nasbench201, Size(8, 1024, 1, 48), Size(8, 12_800, 2, 64)),
    Workload(
        "nasnet_cells",
        CIFAR,
        lambda count: cells(count, "space=nasnet", "space.normal_cells=1", "space.channels=16"),
        Size(8, 256, 1, 16),
        Size(8, 12_800, 2, 32),
    ),
    Workload("mixed_population", CIFAR, nasbench201, Size(20, 640, 1, 80), Size(20, 12_800, 1, 80)),
)
