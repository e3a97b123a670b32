"""Today's practice, one network after the other: items through a DataLoader, or all that resident data allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import transforms
from torchvision.datasets import VisionDataset

from evonas_cli.bench.workloads import BATCH
from evonas_cli.evaluation.division import available_cores
from evonas_cli.network.plan import Plan
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network

Loader: TypeAlias = "torch.utils.data.DataLoader[tuple[Tensor, Tensor]]"

MEAN, STD = 0.2860, 0.3530
PEAK_SIZE = {"cpu": 1024, "cuda": 8192}


class Items(VisionDataset):  # type: ignore[misc]
    """Images in memory, handed out one by one as torchvision's own data sets do: as a PIL image, transformed."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        channels = x.shape[1]
        steps = [transforms.ToTensor(), transforms.Normalize([MEAN] * channels, [STD] * channels)]
        super().__init__("", transform=transforms.Compose(steps))
        self.data, self.targets = np.ascontiguousarray(x.transpose(0, 2, 3, 1)), y

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        pixels = self.data[index]
        image = Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[:, :, 0])
        assert self.transform is not None
        return self.transform(image), int(self.targets[index])

    def __len__(self) -> int:
        return len(self.data)


@dataclass
class Practice:
    """Loops of a process that uses all cores, as torch does by itself; all give training samples a second."""

    task: Task
    device: str

    def __post_init__(self) -> None:
        rng = np.random.default_rng(1)
        self.x = rng.integers(0, 256, (8192, *self.task.inputs), np.uint8)
        self.y = np.arange(8192) % self.task.outputs
        self.items = Items(self.x, self.y)
        torch.set_num_threads(available_cores())

    def loader(self, plans: Sequence[Plan], steps: int) -> float:
        """(a): DataLoader over items, plain layout and SGD, the loss read in every step."""

        def train(network: nn.Module) -> None:
            loader: Loader = torch.utils.data.DataLoader(self.items, batch_size=BATCH, shuffle=True)
            optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, nesterov=True)
            for _, (x, y) in zip(range(share), loader, strict=False):
                optimizer.zero_grad()
                loss = F.cross_entropy(network(x.to(self.device)), y.to(self.device))
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                loss.item()

        share = max(1, steps // len(plans))
        return self._rate(plans, share, train)

    def resident(self, plans: Sequence[Plan], steps: int, bf16: bool) -> float:
        """(b): the best loop that trains one network after the other: data on the device, channels last, fused SGD."""
        x_all = torch.from_numpy(self.x).to(self.device).float().sub_(255 * MEAN).div_(255 * STD)
        y_all = torch.from_numpy(self.y).to(self.device)

        def train(network: nn.Module) -> None:
            network.to(memory_format=torch.channels_last)
            optimizer = torch.optim.SGD(
                network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, nesterov=True, fused=True
            )
            for x, y in resident_batches(x_all, y_all, share):
                with torch.autocast(self.device, torch.bfloat16, enabled=bf16):
                    scores = network(x)
                loss = F.cross_entropy(scores.float(), y)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)

        share = max(1, steps // len(plans))
        return self._rate(plans, share, train)

    def items_alone(self, count: int = 2048) -> float:
        """What the DataLoader of (a) delivers without training, in samples a second."""
        loader: Loader = torch.utils.data.DataLoader(
            Items(self.x[:count], self.y[:count]), batch_size=BATCH, shuffle=True
        )
        started = perf_counter()
        seen = sum(len(y) for _, y in loader)
        return seen / (perf_counter() - started)

    def peak(self, bf16: bool) -> float:
        """Floating-point operations a second of a large matrix product on all cores."""
        size = PEAK_SIZE[self.device]
        kind = torch.bfloat16 if bf16 else torch.float32
        a, b = torch.randn(2, size, size, device=self.device, dtype=kind).unbind()
        a @ b
        self._wait()
        started, products = perf_counter(), 0
        while perf_counter() - started < 0.5:
            a @ b
            products += 1
            self._wait()
        return 2 * size**3 * products / (perf_counter() - started)

    def _rate(self, plans: Sequence[Plan], share: int, train: Callable[[nn.Module], None]) -> float:
        networks = [Network(plan, torch.Generator().manual_seed(0)).to(self.device).train() for plan in plans]
        self._wait()
        started = perf_counter()
        for network in networks:
            train(network)
        self._wait()
        return len(plans) * share * BATCH / (perf_counter() - started)

    def _wait(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()


def resident_batches(x_all: Tensor, y_all: Tensor, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of resident data in an order drawn once, channels last."""
    order = torch.randperm(len(y_all), device=x_all.device)
    for step in range(steps):
        index = order[(step * BATCH) % len(order) :][:BATCH]
        yield x_all[index].to(memory_format=torch.channels_last), y_all[index]
