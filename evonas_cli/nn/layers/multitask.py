"""Layers of networks that learn several tasks with shared modules (network/task_ops.py)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.network.op import Settings, Shape
from evonas_cli.network.routes import parsed
from evonas_cli.network.task_ops import ABSENT, classes_of, modules_of
from evonas_cli.nn.layers.allocation import allocated
from evonas_cli.nn.layers.linear import drawn_linear


class TaskFeatures(nn.Module):
    """(batch, channels, ...) without the last channel where it is the number of the task, and as a vector if `flat`."""

    def __init__(self, flat: bool, indexed: bool) -> None:
        super().__init__()
        self.flat, self.indexed = flat, indexed

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :-1] if self.indexed else x
        return x.flatten(1) if self.flat else x


def task_features(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> TaskFeatures:
    """(batch, channels, ...) to what is left of it."""
    return TaskFeatures(bool(settings["flat"]), bool(settings["indexed"]))


class SharedModules(nn.Module):
    """The modules, which keep the shape of what they are applied to, and a decoder for each task and answer.

    `shared` are the layers of the modules, `functions` what comes after each. There are `tasks` tasks; a second decoder
    for each is that of its challenger.
    """

    def __init__(self, shared: nn.ModuleList, functions: tuple[str, ...], decoders: nn.ModuleList, tasks: int) -> None:
        super().__init__()
        self.shared, self.functions, self.decoders, self.tasks = shared, functions, decoders, tasks

    def apply_module(self, number: int, x: Tensor) -> Tensor:
        """What a module makes of values (batch, *shape)."""
        value: Tensor = self.shared[number](x)
        name = self.functions[number]
        if name == "gelu":
            return F.gelu(value)
        if name == "tanh":
            return torch.tanh(value)
        return torch.sigmoid(value) if name == "sigmoid" else torch.relu(value)

    def task_of(self, x: Tensor, example: Tensor | None) -> Tensor:
        """The number of each example's task, (batch,) int64; 0 where there is one task."""
        if example is None:
            return torch.zeros(len(x), dtype=torch.int64, device=x.device)
        last = example[:, -1]
        return (last.flatten(1)[:, 0] if last.dim() > 1 else last).round().long()

    def decoded(self, values: list[Tensor], task: Tensor) -> Tensor:
        """Scores (batch, sum of classes) by the decoders of tasks 0, 1, ..., or of their challengers, one after the
        other: of the classes of each example's own task from the value for that task; ABSENT for all others."""
        scores = []
        for place, value in enumerate(values):
            own = (task == place % self.tasks)[:, None]
            found = self.decoders[place](value.flatten(1))
            scores.append(torch.where(own, found, torch.full_like(found, ABSENT)))
        return torch.cat(scores, 1)


class SoftOrdering(SharedModules):
    """At each depth the sum of all modules, weighted by softmax of scales that each task learns for that depth.

    `scales` are (tasks, depth, modules); they begin as 0, which weighs all modules alike.
    """

    def __init__(
        self, shared: nn.ModuleList, functions: tuple[str, ...], decoders: nn.ModuleList, tasks: int, depth: int
    ) -> None:
        super().__init__(shared, functions, decoders, tasks)
        self.scales = nn.Parameter(torch.zeros(tasks, depth, len(functions)))

    def forward(self, x: Tensor, example: Tensor | None = None) -> Tensor:
        task = self.task_of(x, example)
        weights = self.scales.softmax(2)[task]
        for depth in range(self.scales.shape[1]):
            total = torch.zeros_like(x)
            for number in range(len(self.functions)):
                share = weights[:, depth, number].view(-1, *[1 for _ in x.shape[1:]])
                total = total + share * self.apply_module(number, x)
            x = total
        return self.decoded([x] * self.tasks, task)


class TaskRoutes(SharedModules):
    """Each task has a route through the modules, and with challengers a second one.

    A route is the modules of its nodes, and the values that each node and, last, the decoder reads. `edges` has the
    weights of all edges of all routes in their order, before the softmax over what one node reads; they begin as 0.
    """

    def __init__(
        self,
        shared: nn.ModuleList,
        functions: tuple[str, ...],
        decoders: nn.ModuleList,
        tasks: int,
        routes: tuple[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]], ...],
    ) -> None:
        super().__init__(shared, functions, decoders, tasks)
        self.routes = routes
        self.edges = nn.Parameter(torch.zeros(sum(len(read) for _, sources in routes for read in sources)))

    def forward(self, x: Tensor, example: Tensor | None = None) -> Tensor:
        found, first = [], 0
        for modules, sources in self.routes:
            values = [x]
            for node, read in enumerate(sources):
                weights = self.edges[first : first + len(read)].softmax(0)
                first += len(read)
                value = values[read[0]]
                if len(read) > 1:
                    value = torch.stack([weights[place] * values[one] for place, one in enumerate(read)]).sum(0)
                values.append(self.apply_module(modules[node], value) if node < len(modules) else value)
            found.append(values[-1])
        return self.decoded(found, self.task_of(x, example))


def soft_ordering(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> SoftOrdering:
    """(batch, *shape) and examples to (batch, classes of all tasks)."""
    parts = _parts(shapes[0], settings, 1, generator)
    return SoftOrdering(*parts, len(classes_of(settings)), settings["depth"])


def task_routes(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> TaskRoutes:
    """(batch, *shape) and examples to (batch, classes of all tasks), with challengers twice that."""
    parts = _parts(shapes[0], settings, 1 + settings["rivals"], generator)
    routes = tuple([(route.modules, route.sources) for route in parsed(settings["routes"])])
    return TaskRoutes(*parts, len(classes_of(settings)), routes)


def _parts(
    shape: Shape, settings: Settings, answers: int, generator: torch.Generator
) -> tuple[nn.ModuleList, tuple[str, ...], nn.ModuleList]:
    """The layers of the modules, their functions, and the decoders."""
    functions = tuple(modules_of(settings))
    shared = [_layer(shape, settings["kernel"], generator) for _ in functions]
    decoders = [drawn_linear(prod(shape), count, True, generator) for count in answers * classes_of(settings)]
    return nn.ModuleList(shared), functions, nn.ModuleList(decoders)


def _layer(shape: Shape, kernel: int, generator: torch.Generator) -> nn.Module:
    """A layer that keeps the shape: linear on vectors, a convolution with a border of zeros on maps."""
    if len(shape) == 1:
        return drawn_linear(shape[0], shape[0], True, generator)
    layer = allocated(nn.Conv2d(shape[0], shape[0], kernel, padding="same", device="meta"))
    bound = 1 / sqrt(shape[0] * kernel * kernel)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        assert layer.bias is not None
        layer.bias.zero_()
    return layer
