"""What the tests of training share: small images of four classes, a small network, an interruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from evonas_cli.data.resident import Resident
from evonas_cli.data.splits import Augmentation, Splits, moments
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training import loop
from evonas_cli.training.checkpoint import NO_OWNER, Checkpoint, Source
from evonas_cli.training.exercise import Diverged, Outcome
from evonas_cli.training.feed_forward import FeedForward
from evonas_cli.training.loop import Member
from evonas_cli.training.trainer import Trainer

CONF = Path(__file__).parents[3] / "conf/trainer"
SEED = 11


def trainer(name: str = "sgd", **changes) -> Trainer:
    loaded = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    del loaded["_target_"]
    return Trainer(
        **{
            **loaded,
            "save_state": False,
            "epochs": 4,
            "batch_size": 16,
            "checkpoint_seconds": 0,
            "learning_rate": 0.02,
            **changes,
        }
    )


def resident(
    n: int = 100,
    augmentation: Augmentation | None = None,
    random_labels: bool = False,
    memory: str = "auto",
    device: torch.device | None = None,
) -> Resident:
    """Images whose class is the quadrant that is bright."""
    rng = np.random.default_rng(0)
    y = np.arange(n + 40) % 4
    x = rng.integers(0, 100, (n + 40, 1, 8, 8), np.uint8)
    for image, label in zip(x, y, strict=True):
        row, column = divmod(int(label), 2)
        image[0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 120
    if random_labels:
        y = rng.permutation(y)
    mean, std = moments(x[:n])
    splits = Splits(
        x_train=x[:n],
        y_train=y[:n],
        x_valid=x[n:],
        y_valid=y[n:],
        mean=mean,
        std=std,
        task=Task(inputs=(1, 8, 8), outputs=4),
        augmentation=augmentation or Augmentation(crop=1, cutout=2),
        fingerprint="",
    )
    return Resident(splits, device or torch.device("cpu"), memory)


def small_plan(width: int = 6) -> Plan:
    """Everything that makes resuming hard: batch normalisation's buffers, dropout's noise, a layer without gradient."""
    graph = Graph((1, 8, 8))
    x = graph.add("conv", graph.input, channels=width, kernel=3)
    x = graph.add("relu", graph.add("batch_norm", x))
    idle = graph.add("zero", graph.add("conv", x, channels=width, kernel=3))
    x = graph.add("conv", graph.add("add", x, idle), channels=8, kernel=3, stride=2, bias=1)
    x = graph.add("flatten", graph.add("dropout", graph.add("relu", x), rate=0.1))
    return graph.plan(graph.add("linear", x, features=4))


def network(seed: int = 0, width: int = 6) -> Network:
    return Network(small_plan(width), torch.Generator().manual_seed(seed))


def small(seed: int = 0, width: int = 6) -> Population:
    """A population of one."""
    return Population([network(seed, width)])


def fit(
    population: Population, data: Resident, settings: Trainer, run_seed: int, epochs: int, checkpoint: Checkpoint
) -> dict[str, float]:
    """The training of a population of one; raises Diverged."""
    outcome = fit_all(population, [Member(settings, epochs, checkpoint)], data, run_seed)[0]
    if isinstance(outcome, Diverged):
        raise outcome
    return outcome


def fit_all(population: Population, members: list[Member], data: Resident, run_seed: int) -> list[Outcome]:
    """The outcomes of all members of a population."""
    trainers = {member.place: member.trainer for member in members}
    return loop.fit(FeedForward(population, trainers, data, run_seed), members)


def source(folder: Path, weights_only: bool = False) -> Source:
    """The final state of a training in the folder whose owner was not named."""
    return Source(folder=folder, run_seed=NO_OWNER.run_seed, id=NO_OWNER.id, weights_only=weights_only)


class Interrupted(Exception):
    """Stands for a kill."""


class InterruptedAfter(Checkpoint):
    """A checkpoint whose process dies once epoch `last` is saved."""

    def __init__(self, last: int, folder: Path, **settings) -> None:
        super().__init__(folder, 0, **settings)
        self.last = last

    def save(self, place, progress) -> None:
        super().save(place, progress)
        if progress.epoch == self.last:
            raise Interrupted


def interrupt(population: Population, settings: Trainer, epochs: int, checkpoint: InterruptedAfter, **data) -> None:
    """A training on `resident(**data)` that dies as its checkpoint says."""
    with pytest.raises(Interrupted):
        fit(population, resident(**data), settings, SEED, epochs, checkpoint)


def same_bits(a: nn.Module, b: nn.Module) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def without_times(metrics: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in metrics.items() if not key.endswith("_seconds")}
