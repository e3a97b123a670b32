"""From plan to torch: the network that a plan describes, with initial weights from a generator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from evonas_cli.network.plan import Plan
from evonas_cli.nn.resolve import builder


class Network(nn.Module):
    """A plan as a module: (batch, *input shape) to (batch, *output shape).

    Weights are drawn from `generator`, a CPU generator, in the order of the plan's nodes; torch's global generator is
    not touched. Layers are named by node, `layers.<index>_<operation>`. A value is let go after its last use.
    """

    def __init__(self, plan: Plan, generator: torch.Generator) -> None:
        super().__init__()
        self.plan = plan
        self.layers = nn.ModuleDict(
            {
                f"{index}_{node.op}": builder(node.op)(plan.input_shapes(node), dict(node.params), generator)
                for index, node in enumerate(plan.nodes)
                if index > 0
            }
        )
        self._finished = finished(plan)

    def forward(self, x: Tensor) -> Tensor:
        values = {0: x}
        del x
        for index, layer in enumerate(self.layers.values(), start=1):
            values[index] = layer(*[values[source] for source in self.plan.nodes[index].inputs])
            for source in self._finished[index]:
                del values[source]
        return values[self.plan.output]


def finished(plan: Plan) -> list[list[int]]:
    """For each node, the values that nothing after it reads."""
    last = {source: index for index, node in enumerate(plan.nodes) for source in node.inputs}
    over: list[list[int]] = [[] for _ in plan.nodes]
    for source, index in last.items():
        over[index].append(source)
    return over
