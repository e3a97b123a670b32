"""The peers of the race: the optimisers of `optimisers.py` over two training loops, NePS and random draws over one.

    python -m benchmarks.contenders NETWORK SEED CONTENDER ROOT EPOCHS SECONDS LINES STARTED

writes one JSON line to LINES for each training that ended before SECONDS were over since STARTED, the monotonic clock's
reading when the process was started.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from math import cos, pi
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from benchmarks.optimisers import Report, neps_trainings, optuna_trainings, random_trainings
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.config.build import build
from evonas_cli.config.compose import compose
from evonas_cli.config.overrides import set_path
from evonas_cli.data.splits import Splits
from evonas_cli.genomes.choices import Genes, Locus
from evonas_cli.nn.build import Network
from evonas_cli.training.trainer import Trainer

NETWORKS = {
    "example": ("space=hyperparameters",),
    "small": ("space=hyperparameters", "space.channels=[4,8]", "space.hidden=32"),
    "mlp": ("space=mlp",),
    "cells": ("space=nasbench201", "space.channels=4", "space.cells_per_stage=1"),
}
EVALUATED = 1000


def configuration(network: str, root: Path, epochs: int) -> list[str]:
    """The overrides of a search of the race."""
    data = ["dataset=fashion_mnist", set_path("dataset.root", str(root)), "dataset.download=false"]
    return [*NETWORKS[network], *data, f"dataset.valid_fraction={1 / 6}", f"trainer.epochs={epochs}"]


def versions() -> dict[str, str]:
    """Those of the libraries that decide about speed and choice."""
    installed = [name for name in ("neural-pipeline-search",) if find_spec("neps")]
    return {name: version(name) for name in ("torch", "torchvision", "optuna", *installed)}


class Course:
    """The space, the trainer's settings and the data of a race, divided by its seed as a search does."""

    def __init__(self, network: str, root: Path, epochs: int, seed: int) -> None:
        config = compose(configuration(network, root, epochs)).config
        self.space = build(config["space"], "space")
        self.trainer: Trainer = build(config["trainer"], "trainer")
        self.dataset = build(config["dataset"], "dataset")
        self.loci: Sequence[Locus] = self.space.choices
        self.seed = seed

    @cache  # noqa: B019 (one object a process)
    def splits(self) -> Splits:
        """Training and validation images."""
        return self.dataset.prepare(self.seed)

    def built(self, genome: Genes) -> tuple[Network, Trainer]:
        """The network with torch's own layers, and the settings that the genome overrides."""
        phenotype = self.space.decode(genome, self.splits().task)
        generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
        return Network(phenotype.plan, generator), self.trainer.override(phenotype.hyper)


def normalised(images: np.ndarray, splits: Splits) -> Tensor:
    """Images (N, C, H, W) as float32 tensors of mean 0 and deviation 1 a channel, channels last."""
    mean, std = (torch.tensor(each, dtype=torch.float32).view(1, -1, 1, 1) for each in (splits.mean, splits.std))
    found = (torch.tensor(images).float() - mean) / std
    return found.to(memory_format=torch.channels_last)


def tutorial(course: Course, genome: Genes, report: Report) -> float:
    """The loop of the documentation: a DataLoader of items, a loss read in each step. Gives the validation error."""
    from evonas_cli.bench.practice import Items

    splits, (network, trainer) = course.splits(), course.built(genome)
    loaders = [
        torch.utils.data.DataLoader(Items(x, y), batch_size=size, shuffle=shuffled, drop_last=shuffled)
        for x, y, size, shuffled in (
            (splits.x_train, splits.y_train, trainer.batch_size, True),
            (splits.x_valid, splits.y_valid, EVALUATED, False),
        )
    ]
    train = Training(network, trainer, len(loaders[0]), fused=False)
    error = 1.0
    for epoch in range(trainer.epochs):
        network.train()
        for x, y in loaders[0]:
            train.step(x, y)
        network.eval()
        with torch.no_grad():
            wrong = sum(int((network(x).argmax(1) != y).sum()) for x, y in loaders[1])
        error = wrong / len(splits.y_valid)
        report(epoch, error)
    return error


def fast(course: Course, genome: Genes, report: Report) -> float:
    """The loop over tensors in memory: channels last, fused SGD. Gives the validation error."""
    network, trainer = course.built(genome)
    return _over_tensors(network, trainer, _tensors(course, "train"), _tensors(course, "valid"), report)


def final_error(network: str, root: Path, epochs: int, seed: int, data: Any) -> float:
    """The test error of a genome (as JSON) trained on training and validation images by the fast loop."""
    course = Course(network, root, epochs, seed)
    torch.manual_seed(0)
    built, trainer = course.built(course.space.from_json(data))
    parts = [_tensors(course, part) for part in ("train", "valid")]
    x, y = (torch.cat(each) for each in zip(*parts, strict=True))
    test = course.dataset.test(course.seed)
    x_test, y_test = normalised(test[0], course.splits()), torch.from_numpy(test[1])
    return _over_tensors(built, trainer, (x, y), (x_test, y_test), lambda epoch, error: None)


_KEPT: dict[tuple[int, str], tuple[Tensor, Tensor]] = {}


def _tensors(course: Course, part: str) -> tuple[Tensor, Tensor]:
    key = (id(course), part)
    if key not in _KEPT:
        splits = course.splits()
        _KEPT[key] = (
            normalised(getattr(splits, f"x_{part}"), splits),
            torch.from_numpy(getattr(splits, f"y_{part}")),
        )
    return _KEPT[key]


def _over_tensors(
    network: Network,
    trainer: Trainer,
    training: tuple[Tensor, Tensor],
    judged: tuple[Tensor, Tensor],
    report: Report,
) -> float:
    network.to(memory_format=torch.channels_last)
    (x, y), steps = training, len(training[1]) // trainer.batch_size
    train, error = Training(network, trainer, steps, fused=True), 1.0
    for epoch in range(trainer.epochs):
        network.train()
        order = torch.randperm(len(y))
        for index in order[: steps * trainer.batch_size].split(trainer.batch_size):
            train.step(x[index], y[index])
        network.eval()
        with torch.no_grad():
            wrong = sum(
                int((network(a).argmax(1) != b).sum())
                for a, b in zip(judged[0].split(EVALUATED), judged[1].split(EVALUATED), strict=True)
            )
        error = wrong / len(judged[1])
        report(epoch, error)
    return error


class Training:
    """SGD with Nesterov's momentum and a cosine schedule over the steps, as `trainer=sgd` has it."""

    def __init__(self, network: nn.Module, trainer: Trainer, steps: int, fused: bool) -> None:
        self.network, self.most, self.done = network, steps * trainer.epochs, 0
        self.optimizer = torch.optim.SGD(
            network.parameters(),
            lr=trainer.learning_rate,
            momentum=trainer.momentum,
            weight_decay=trainer.weight_decay,
            nesterov=trainer.nesterov and trainer.momentum > 0,
            fused=fused,
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: 0.5 * (1.0 + cos(pi * min(step, self.most) / self.most))
        )

    def step(self, x: Tensor, y: Tensor) -> None:
        """One update of the weights."""
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.network(x), y)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()


def main(
    network: str, seed: str, contender: str, root: str, epochs: str, seconds: str, lines: str, started: str
) -> None:
    """Writes a line for each training that ended in time."""
    torch.manual_seed(int(seed))
    course = Course(network, Path(root), int(epochs), int(seed))
    begun = partial(optuna_trainings, begun=True)
    own = {"random": random_trainings, "neps": neps_trainings, "optuna-begun": begun}
    search = own.get(contender, optuna_trainings)
    loop = tutorial if contender == "optuna" else fast
    end = float(started) + float(seconds)
    with open(lines, "w") as file:
        for genome, error in search(course, int(seed), loop, end):
            if perf_counter() > end:
                break
            entry = {"status": "ok", "metrics": {"valid_error": error}, "genome": course.space.to_json(genome)}
            print(json.dumps(entry), file=file, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
