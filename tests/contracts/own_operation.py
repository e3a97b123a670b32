"""An operation of a user's own with weights and without a stacked form: y = x * s, with a learned s per channel."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor, nn

from evonas_cli.core.types import Json
from evonas_cli.network.ops import Op, Settings, Shape, register
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype, Task


class Scale(nn.Module):
    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(values)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale.view(-1, *[1] * (x.dim() - 2))


def scale(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    return Scale(torch.empty(shapes[0][0]).uniform_(0.5, 1.5, generator=generator))


register(
    "own_scale",
    Op(
        shape=lambda shapes, settings: shapes[0],
        build=f"{__name__}:scale",
        stack=None,
        parameters=lambda shapes, settings: shapes[0][0],
        multiply_adds=lambda shapes, settings: 0,
    ),
)


class Scaled:
    """Genomes are the features of a hidden layer, whose numbers the operation scales."""

    def sample(self, rng: Random) -> int:
        return rng.choice((4, 8))

    def to_json(self, genome: int) -> Json:
        return genome

    def from_json(self, data: Json) -> int:
        if data not in (4, 8):
            raise ValueError(f"a genome here is 4 or 8, not {data!r}")
        return int(data)  # type: ignore[arg-type]

    def decode(self, genome: int, task: Task) -> Phenotype:
        graph = Graph(task.inputs)
        x = graph.add("own_scale", graph.input)
        x = graph.add("linear", graph.add("flatten", x), features=genome)
        x = graph.add("relu", graph.add("own_scale", x))
        return Phenotype(graph.plan(graph.add("linear", x, features=task.outputs)))
